// Lets a turn write only what the user it answers can pay for. Each append waits for its own debit and those before it,
// so that what is written keeps its order over a ledger that is late. Spec: §5, spent credit stops a running stream.

import { type Draft, Fault, type Pending } from '@haip/protocol';
import { type Charge, type Charges, isPriced, type Paid } from './charges.ts';
import { failed, Stopped } from './ending.ts';

export class Meter {
  readonly #charges: Charges;
  readonly #user: string;
  readonly #transaction: string;
  readonly #halt: (reason: Stopped) => void;
  /** Resolves when everything that was passed before is done. */
  #last: Promise<void> | undefined;
  /** Why something could not be paid. Nothing that costs is written after it. */
  #unpaid: Stopped | undefined;

  /** @param halt stops the turn when something cannot be paid. */
  constructor(charges: Charges, user: string, transaction: string, halt: (reason: Stopped) => void) {
    this.#charges = charges;
    this.#user = user;
    this.#transaction = transaction;
    this.#halt = halt;
  }

  /** Appends, once paid for. Rejects, with nothing appended, when the account holds less. */
  pass(drafts: readonly Draft[], append: () => Pending): Pending {
    if (this.#last !== undefined) return this.#queue(this.#last.then(() => this.#pay(drafts, append)));
    const pending = this.#pay(drafts, append);
    return pending && this.#queue(pending);
  }

  #queue(job: Promise<void>): Promise<void> {
    const done = job
      .catch(() => {})
      .then(() => {
        if (this.#last === done) this.#last = undefined;
      });
    this.#last = done;
    return job;
  }

  #pay(drafts: readonly Draft[], append: () => Pending): Pending {
    const priced = drafts.find(({ type }) => isPriced(type));
    if (priced === undefined) return append();
    if (this.#unpaid !== undefined) return Promise.reject(this.#unpaid);
    const price = this.#charges.agentPriceOf(priced, this.#user, this.#transaction);
    if (price instanceof Fault) return this.#refuse(price);
    const paid = this.#take(priced, price);
    if (paid instanceof Promise) return paid.then((late) => this.#append(late, priced, append));
    return this.#append(paid, priced, append);
  }

  #take({ id }: Draft, price: number): Paid | Promise<Paid> {
    try {
      const paid = this.#charges.pay(this.#user, this.#transaction, id, price, 0);
      return paid instanceof Promise ? paid.catch(() => noAnswer) : paid;
    } catch {
      // The ledger logs its own troubles; here only the turn's end depends on it.
      return noAnswer;
    }
  }

  #append(paid: Paid, draft: Draft, append: () => Pending): Pending {
    if (paid instanceof Fault) return this.#refuse(paid);
    if (paid === undefined) return append();
    try {
      const pending = append();
      if (pending) return pending.finally(() => this.#close(paid, draft));
    } catch (error) {
      this.#close(paid, draft);
      throw error;
    }
    this.#close(paid, draft);
  }

  #close(paid: Charge, { outcome }: Draft): void {
    if (outcome?.kind === 'refused') paid.unwanted = true;
    this.#charges.close(paid, outcome);
  }

  #refuse({ code }: Fault): Promise<never> {
    const message = reasons[code] ?? 'the words could not be priced';
    this.#unpaid = new Stopped(message, failed(message, code));
    this.#halt(this.#unpaid);
    return Promise.reject(this.#unpaid);
  }
}

const noAnswer = new Fault('OVERLOADED');

const reasons: Readonly<Record<string, string>> = {
  INSUFFICIENT_CREDITS: 'the account is empty',
  OVERLOADED: 'the accounts could not be asked',
};

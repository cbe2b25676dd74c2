// What messages cost, and who pays: asks the ledger before a message is stored, gives back what was taken for one that
// never will be, and tells users what they have left. A debit is keyed by user, transaction and message id. Spec: §3, §5.

import { type CreditLedger, type Debit, type Draft, type Envelope, Fault, type Logger } from '@haip/protocol';
import { keepsOrder } from './access.ts';
import { promised, unheeded } from './promises.ts';
import { soon } from './soon.ts';

/** What the price of a message may depend on. */
export interface PricedMessage extends Pick<Draft, 'type' | 'channel' | 'payload' | 'bytes' | 'mime' | 'size'> {
  /** Who pays: the author, or for the agent's words whoever it answers. */
  readonly user: string;
  readonly transaction: string;
}

export interface CreditsOptions {
  /**
   * What a user's message costs: a finite number, 0 or more. Asked for MESSAGE*, AUDIO and TOOL_*, but for what ends
   * something, which is free. One that throws or gives anything else has its message refused with INTERNAL_ERROR.
   * Default: 1, and nothing for MESSAGE_PART and TOOL_UPDATE, which go on with what was paid when it began.
   */
  readonly cost?: ((message: PricedMessage) => number) | undefined;
  /**
   * What the agent's words cost the user they answer; asked for the same types. At an empty account the turn's signal
   * is aborted, an open message ends `interrupted` and the run with INSUFFICIENT_CREDITS. Default: nothing.
   */
  readonly agentCost?: ((message: PricedMessage) => number) | undefined;
  /** Keeps the accounts. Default: in memory, so that they last as long as the server. */
  readonly ledger?: CreditLedger | undefined;
}

/** The accounts, for the application. */
export interface Credits {
  /**
   * Adds to a user's account and gives what it holds then.
   * @throws RangeError for an amount that is not finite or below 0, and for a user who has no account yet.
   */
  grant(user: string, amount: number): Promise<number>;
  /** Gives back what a user was charged for nothing; else as {@link grant}. */
  refund(user: string, amount: number): Promise<number>;
  /** What the user may still spend; null for one who has no account yet. */
  balance(user: string): Promise<number | null>;
}

/** One debit, shared by all attempts to store its message that are under way at once. */
export interface Charge {
  readonly user: string;
  readonly key: string;
  /** How far this node knew the log before it asked the ledger. */
  readonly last: number;
  attempts: number;
  /** Taken in one of these attempts, not before. */
  taken: boolean;
  /** The message is stored, or may be. */
  kept: boolean;
  /** An attempt found that nothing needs to be paid. */
  unwanted: boolean;
}

const ends: ReadonlySet<string> = new Set(['MESSAGE_END', 'TOOL_DONE']);
const goesOn: ReadonlySet<string> = new Set(['MESSAGE_PART', 'TOOL_UPDATE']);

/** Whether a type is paid for: what ends something must never wait for money. */
export function isPriced(type: string): boolean {
  return keepsOrder(type) && !ends.has(type);
}

/** Where a charge and its key are kept. An id has no space in it, so no two transactions and ids give one key. */
const keyOf = (transaction: string | null, id: string): string => `${transaction} ${id}`;
const nameOf = (user: string, key: string): string => `${key} ${user}`;

export class Charges implements Credits {
  readonly ledger: CreditLedger;
  readonly #options: CreditsOptions;
  readonly #log: Logger;
  readonly #tell: (user: string, balance: number) => void;
  readonly #underWay = new Map<string, Charge>();
  /** Balances to be told once the work at hand is done. */
  readonly #news = new Map<string, number>();

  /** @param tell passes a new balance on to its user, once for all that changed it in one turn of the event loop. */
  constructor(
    options: CreditsOptions,
    ledger: CreditLedger,
    log: Logger,
    tell: (user: string, balance: number) => void,
  ) {
    this.ledger = ledger;
    this.#options = options;
    this.#log = log;
    this.#tell = tell;
  }

  /** Whether what agents write costs anything. */
  get chargesAgents(): boolean {
    return this.#options.agentCost !== undefined;
  }

  /** The price of a user's message, or the fault of a function that gave none. */
  priceOf(draft: Draft, user: string, transaction: string): number | Fault {
    const { cost } = this.#options;
    if (cost === undefined) return goesOn.has(draft.type) ? 0 : 1;
    return this.#ask(cost, { ...draft, user, transaction });
  }

  /** The price of an agent's words. */
  agentPriceOf(draft: Draft, user: string, transaction: string): number | Fault {
    const { agentCost } = this.#options;
    return agentCost === undefined ? 0 : this.#ask(agentCost, { ...draft, user, transaction });
  }

  #ask(cost: (message: PricedMessage) => number, message: PricedMessage): number | Fault {
    try {
      const price = cost(message);
      if (Number.isFinite(price) && price >= 0) return price;
      unheeded(price);
      this.#log('error', 'cost gave no price', { transaction: message.transaction, type: message.type });
    } catch (error) {
      this.#log('error', 'cost threw', { transaction: message.transaction, type: message.type, error });
    }
    return noPrice;
  }

  /**
   * Takes a message's price before it is stored; undefined when it has none, INSUFFICIENT_CREDITS when the account
   * holds less. Throws or rejects when the ledger does: it may have been taken, and costs nothing more next time.
   *
   * @param last how far this node knows the log
   */
  pay(user: string, transaction: string, id: string, price: number, last: number): Paid | Promise<Paid> {
    if (price === 0) return undefined;
    const charge = this.#begin(user, keyOf(transaction, id), last);
    try {
      const debit = this.ledger.debit(user, charge.key, price);
      const pending = promised(debit);
      if (!pending) return this.#judge(charge, debit as Debit, price);
      return pending
        .then((late) => this.#judge(charge, late, price))
        .catch((error: unknown) => {
          this.close(charge, undefined);
          throw error;
        });
    } catch (error) {
      this.close(charge, undefined);
      throw error;
    }
  }

  #begin(user: string, key: string, last: number): Charge {
    const name = nameOf(user, key);
    let charge = this.#underWay.get(name);
    if (charge === undefined) {
      charge = { user, key, last, attempts: 0, taken: false, kept: false, unwanted: false };
      this.#underWay.set(name, charge);
    }
    charge.attempts++;
    return charge;
  }

  #judge(charge: Charge, debit: Debit, price: number): Charge | Fault {
    const { kind, balance } = readDebit(debit);
    if (kind === 'refused') {
      this.close(charge, { kind: 'refused', why: 'missing' });
      return new Fault('INSUFFICIENT_CREDITS', { expected: `an account with ${price}`, got: `one with ${balance}` });
    }
    if (kind === 'taken') {
      charge.taken = true;
      this.#changed(charge.user, balance);
    }
    return charge;
  }

  /** An attempt to store what was paid for is over; undefined: nobody knows how. Whether a refusal is for good, {@link forgive} says. */
  close(charge: Charge, outcome: Draft['outcome']): void {
    const kind = outcome?.kind;
    if (kind === 'stored' || kind === undefined) charge.kept = true;
    // It was there before it was paid for here: its key was forgotten since it was first paid for. One that another
    // node stored meanwhile found this debit, and is paid by it.
    if (outcome?.kind === 'repeat' && charge.taken)
      charge[outcome.position <= charge.last ? 'unwanted' : 'kept'] = true;
    if (--charge.attempts > 0) return;
    this.#underWay.delete(nameOf(charge.user, charge.key));
    if (charge.unwanted && !charge.kept) this.#undo(charge.user, charge.key);
  }

  /** While it is found out whether a message is stored, its charge stays the same for all who are about to store it. */
  hold(user: string, { transaction, id, type }: Envelope): (() => void) | undefined {
    if (!isPriced(type)) return undefined;
    const charge = this.#begin(user, keyOf(transaction, id), 0);
    return () => this.close(charge, { kind: 'refused', why: 'missing' });
  }

  /** A message is refused for good and not stored: what was taken for it, now or in an earlier attempt, goes back. */
  forgive(user: string, { transaction, id, type }: Envelope): void {
    if (!isPriced(type)) return;
    const key = keyOf(transaction, id);
    const charge = this.#underWay.get(nameOf(user, key));
    if (charge === undefined) this.#undo(user, key);
    else charge.unwanted = true;
  }

  #undo(user: string, key: string): void {
    const failed = (error: unknown): void => this.#log('error', 'credit not given back', { user, key, error });
    const done = (balance: number | null): void => {
      if (balance !== null) this.#changed(user, balance);
    };
    try {
      const balance = this.ledger.undo(user, key);
      const pending = promised(balance);
      if (pending) pending.then(done, failed);
      else done(balance as number | null);
    } catch (error) {
      failed(error);
    }
  }

  #changed(user: string, balance: number): void {
    if (!Number.isFinite(balance)) return this.#log('error', 'ledger gave no balance', { user });
    if (this.#news.size === 0) soon(this.#tellAll);
    this.#news.set(user, balance);
  }

  readonly #tellAll = (): void => {
    const news = [...this.#news];
    this.#news.clear();
    for (const [user, balance] of news) this.#tell(user, balance);
  };

  async grant(user: string, amount: number): Promise<number> {
    if (!(Number.isFinite(amount) && amount >= 0)) {
      throw new RangeError(`amount: expected a finite number, 0 or more, got ${amount}`);
    }
    const balance = await this.ledger.grant(user, amount);
    if (balance === null) throw new RangeError('user: expected one who has an account, got one who was never here');
    this.#changed(user, finite(balance));
    return balance;
  }

  refund(user: string, amount: number): Promise<number> {
    return this.grant(user, amount);
  }

  async balance(user: string): Promise<number | null> {
    return this.ledger.balance(user);
  }
}

/** What paying comes to: a charge to be closed, nothing to pay, or a refusal. */
export type Paid = Charge | Fault | undefined;

const noPrice = new Fault('INTERNAL_ERROR', { expected: 'a message that has a price', retry: false });

/** What a ledger said, which is not taken for a yes when it is nothing of the kind. */
function readDebit(debit: Debit): Debit {
  const { kind, balance } = debit;
  if (!['taken', 'known', 'refused'].includes(kind))
    throw new TypeError('ledger.debit: expected taken, known or refused');
  return { kind, balance: finite(balance) };
}

/** @throws TypeError for what is no finite number: a database's bigint, say. */
export function finite(balance: number): number {
  if (Number.isFinite(balance)) return balance;
  throw new TypeError(`ledger: expected a finite number for a balance, got a ${typeof balance}`);
}

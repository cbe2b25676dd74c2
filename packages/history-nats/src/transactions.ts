// Transactions are made once for each reference, found by user, and let go when nobody needs them any more. A reference is
// claimed first, then the log begins: what was cut off in between is taken over by whoever tries again. Spec: §2.

import { setTimeout as pause } from 'node:timers/promises';
import { type CreateWork, type Creation, LIST_PAGE, pageOf, recordOf, type WindowLimits } from '@haip/history-engine';
import type { TransactionPage, TransactionRecord } from '@haip/protocol';
import type { ChainHost } from './chain.ts';
import type { Epoch } from './epoch.ts';
import { NatsUnavailable } from './exchange.ts';
import { type LogWork, planBeginning, planEnd, planNothing } from './log-plan.ts';
import type { Logs } from './logs.ts';
import type { Membership, Memberships } from './memberships.ts';
import type { Names } from './names.ts';
import { type Registered, readRegister, valueIn, writeRegister } from './register.ts';
import type { StoredMessage, Stream } from './stream.ts';

/** As it lies in the message of a reference. */
interface Claim {
  readonly transaction: string;
  readonly starter: string;
  readonly referenceId: string;
  /** The record as JSON text; null for a long one: that is in the log. */
  readonly record: string | null;
  /** When it was made, in ms of the store's time. */
  readonly at: number;
}

interface Row {
  readonly serial: number;
  readonly record: string;
  readonly endedAt: number | null;
}

export interface TransactionsOptions {
  readonly host: ChainHost;
  readonly index: Stream;
  readonly names: Names;
  readonly limits: WindowLimits;
  readonly logs: Logs;
  readonly memberships: Memberships;
  readonly epoch: Epoch;
}

const LONGEST_RECORD = 65_536;
const LOOK_AGAIN_MS = 25;
/** For how long it may be open whether an entry is stored. */
const UNDECIDED_MS = 600_000;
/** After how long a claim without a log is removed when nobody tries again. */
const ABANDONED_MS = 86_400_000;

export class Transactions {
  readonly #options: TransactionsOptions;

  constructor(options: TransactionsOptions) {
    this.#options = options;
  }

  async create(work: CreateWork): Promise<Creation> {
    const { host, index, names, epoch } = this.#options;
    const { transaction, starter, referenceId } = work;
    const subject = names.reference(starter, referenceId);
    const since = performance.now();
    for (;;) {
      const known = await readRegister<Claim>(index, subject);
      const claim = known?.value;
      const serial =
        claim?.transaction === transaction ? known?.seq : known ? undefined : await this.#claim(work, null);
      if (serial !== undefined) return this.#begin(work, serial);
      const there = claim && (await this.#there(claim));
      if (there) return { ...there, kind: 'known', epoch: epoch.current };
      // Its author may be about to begin the log, or was killed before.
      const waited = performance.now() - since;
      if (waited > host.timeoutMs) throw new NatsUnavailable('another node is creating this transaction');
      if (known !== null && waited > host.timeoutMs / 2) await this.#takeOver(work, known);
      else await pause(LOOK_AGAIN_MS);
    }
  }

  async get(transaction: string): Promise<TransactionRecord | null> {
    const there = await this.#there({ transaction });
    return there === undefined ? null : recordOf(there.record, there.endedAt);
  }

  /**
   * Puts a transaction into the lists of those who may be about to join it by these works. Gives what is to be done once
   * they are written.
   */
  async joining(transaction: string, works: readonly LogWork[]): Promise<(() => void) | undefined> {
    const users = joinersOf(works);
    if (users.size === 0) return undefined;
    const { logs, memberships, host } = this.#options;
    const fold = await logs.fresh(transaction);
    if (fold?.beginning === undefined) return undefined;
    const { serial } = fold.beginning;
    const fresh = [...users].filter((user) => !fold.members.has(user));
    for (const user of fresh) await memberships.add(user, { transaction, serial, isSure: false });
    return () => {
      for (const user of fresh) {
        const isMember = logs.chain(transaction).fold.members.has(user);
        const settled = isMember
          ? memberships.add(user, { transaction, serial, isSure: true })
          : memberships.remove(user, transaction);
        host.background(settled);
      }
    };
  }

  /** A user's transactions before a serial, newest first. */
  async list(user: string, after?: string): Promise<TransactionPage> {
    const below = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after);
    if (!Number.isSafeInteger(below)) return { transactions: [] };
    const all = (await this.#options.memberships.list(user)).filter(({ serial }) => serial < below);
    const rows: Row[] = [];
    for (let from = 0; from < all.length && rows.length <= LIST_PAGE; from += LIST_PAGE + 1) {
      rows.push(...(await this.#rows(user, all.slice(from, from + LIST_PAGE + 1))));
    }
    return pageOf(rows.slice(0, LIST_PAGE + 1));
  }

  /** Lets go of what is too old of the transaction that a claim led to, in the end of all of it. */
  async care(message: StoredMessage): Promise<void> {
    const { host, limits, logs } = this.#options;
    const { transaction, at } = valueIn<Claim>(message.data);
    const [heading] = await logs.headings([transaction]);
    const now = host.now();
    if (!heading) {
      if (now - at >= ABANDONED_MS) await this.#abandon(message);
    } else if (heading.over || now - heading.at >= limits.recordTtlMs) await this.#end(message);
    else if (heading.front !== null && now - heading.front >= limits.windowTimeMs) await logs.tidy(transaction);
  }

  /** Ends a transaction whose record's time ran out, unless something came meanwhile. */
  async #end(message: StoredMessage): Promise<void> {
    const { index, limits, logs, memberships } = this.#options;
    const { transaction, starter } = valueIn<Claim>(message.data);
    const chain = logs.chain(transaction);
    if (!(await chain.commit((fold, at) => planEnd(fold, limits, at)))) return;
    for (const user of new Set([starter, ...chain.fold.members])) await memberships.remove(user, transaction);
    // The claim goes last: as long as it is there all this is found again.
    await chain.remove();
    await index.remove([message.seq]);
  }

  /** Lets go of a claim that never got a log. A void one stays behind the one that counts, and goes after it. */
  async #abandon({ seq, data }: StoredMessage): Promise<void> {
    const { index, memberships, names } = this.#options;
    const { transaction, starter, referenceId } = valueIn<Claim>(data);
    const known = await readRegister<Claim>(index, names.reference(starter, referenceId));
    if (known?.seq !== seq) return;
    await memberships.remove(starter, transaction);
    await index.remove([seq]);
  }

  /** Claims a reference, in the place of a claim. Gives the transaction's serial; undefined when somebody else was faster. */
  #claim(work: CreateWork, known: Registered<Claim> | null): Promise<number | undefined> {
    const { host, index, names } = this.#options;
    const { transaction, starter, referenceId } = work;
    const record = work.record.length > LONGEST_RECORD ? null : work.record;
    const value: Claim = { transaction, starter, referenceId, record, at: host.now() };
    return writeRegister(index, names.reference(starter, referenceId), known, { value, id: host.nextName() });
  }

  /** Takes over a claim whose log never began, having seen to it that it never will. */
  async #takeOver(work: CreateWork, known: Registered<Claim>): Promise<void> {
    const isOver = await this.#options.logs.chain(known.value.transaction).commit(planNothing);
    if (isOver) await this.#claim(work, known);
  }

  async #begin(work: CreateWork, serial: number): Promise<Creation> {
    const { index, logs, memberships, epoch } = this.#options;
    const { transaction, starter, referenceId } = work;
    await memberships.add(starter, { transaction, serial, isSure: true });
    const chain = logs.chain(transaction);
    const outcome = await chain.commit((fold, at) => planBeginning(fold, work, serial, at));
    if (outcome.kind === 'stored') return { kind: 'created', epoch: epoch.current, outcome };
    const { beginning, log } = chain.fold;
    if (beginning?.starter === starter && beginning.referenceId === referenceId) {
      return { kind: 'known', epoch: epoch.current, record: beginning.record, endedAt: log.endedAt };
    }
    await index.remove([serial]);
    await memberships.remove(starter, transaction);
    return { kind: 'taken' };
  }

  /** A transaction as a claim's reader needs it; undefined when it is not there, or not yet. */
  async #there({
    transaction,
  }: Pick<Claim, 'transaction'>): Promise<{ record: string; endedAt: number | null } | undefined> {
    const fold = await this.#options.logs.fresh(transaction);
    return fold?.beginning && { record: fold.beginning.record, endedAt: fold.log.endedAt };
  }

  /** The rows of those that are there. */
  async #rows(user: string, some: readonly Membership[]): Promise<Row[]> {
    const { index, logs } = this.#options;
    const [claims, headings] = await Promise.all([
      index.get(some.map(({ serial }) => serial)),
      logs.headings(some.map(({ transaction }) => transaction)),
    ]);
    const rows: Row[] = [];
    for (const [i, membership] of some.entries()) {
      const heading = headings[i];
      if (!heading || heading.over || !(await this.#isMember(user, membership))) continue;
      const message = claims[i];
      const record = (message && valueIn<Claim>(message.data).record) ?? (await this.#there(membership))?.record;
      if (record !== undefined) rows.push({ serial: membership.serial, record, endedAt: heading.ended });
    }
    return rows;
  }

  async #isMember(user: string, { transaction, serial, isSure, at }: Membership): Promise<boolean> {
    if (isSure) return true;
    const { host, logs, memberships } = this.#options;
    const isMember = (await logs.fresh(transaction))?.members.has(user) === true;
    // Whoever was about to store the entry has done so, or never will.
    if (isMember) host.background(memberships.add(user, { transaction, serial, isSure: true }));
    else if (host.now() - at > UNDECIDED_MS) host.background(memberships.remove(user, transaction));
    return isMember;
  }
}

function joinersOf(works: readonly LogWork[]): Set<string> {
  const users = new Set<string>();
  for (const work of works) {
    if (work.kind !== 'append') continue;
    for (const { type, author } of work.rows) if (type === 'TRANSACTION_JOIN' && author !== '') users.add(author);
  }
  return users;
}

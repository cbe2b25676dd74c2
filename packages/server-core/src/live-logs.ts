// The transactions this node has in hand: one LiveLog each, shared by all connections, let go when nobody needs it.
// The store keeps everything; this keeps only what is being read, written or answered now.

import type { CreatedTransaction, Head, Pending, TransactionRecord } from '@haip/protocol';
import { Agent } from './agent.ts';
import type { ServerContext } from './context.ts';
import { LiveLog } from './live-log.ts';

interface Held {
  readonly log: LiveLog;
  readonly agent: Agent | undefined;
  /** Connections that take part. */
  holders: number;
}

export class LiveLogs {
  readonly #context: () => ServerContext;
  /** One name for all agents of this node: one that comes back goes on with the lease it had. */
  #name: string | undefined;
  /** No turn begins here any more. */
  #isRetired = false;
  /** What is awaited before all is gone. */
  #awaited = 0;
  #tellIdle: (() => void) | undefined;
  /** Called when somebody waits for an answer in a transaction that this node will not give. */
  unanswered: (transaction: string) => void = () => {};
  readonly #held = new Map<string, Held>();
  readonly #opening = new Map<string, Promise<LiveLog | null>>();

  constructor(context: () => ServerContext) {
    this.#context = context;
  }

  /** The session of what this node writes of itself. */
  get name(): string {
    this.#name ??= this.#context().ids();
    return this.#name;
  }

  *inHand(): Generator<LiveLog> {
    for (const { log } of this.#held.values()) yield log;
  }

  get size(): number {
    return this.#held.size;
  }

  /**
   * The transaction's log, read up to its end, or null for one the store does not know. Each log that is given must
   * be given back by {@link release}.
   */
  open(transaction: string): LiveLog | null | Promise<LiveLog | null> {
    const held = this.#held.get(transaction);
    if (held !== undefined) {
      held.holders++;
      return held.log;
    }
    const opening = this.#opening.get(transaction);
    if (opening !== undefined) return opening.then(() => this.open(transaction));
    const { history } = this.#context();
    const record = history.get(transaction);
    if (record instanceof Promise) return this.#openLate(transaction, record);
    const head = record === null ? null : history.head(transaction);
    if (head instanceof Promise) return this.#openLate(transaction, record, head);
    if (record === null || head === null) return null;
    return this.#begin(record, head);
  }

  /** The log of a transaction just created or started again. */
  start(created: CreatedTransaction): LiveLog | null | Promise<LiveLog | null> {
    const { transaction } = created.record;
    // Whoever asked with the same reference id at the same time may have it in hand, or be about to.
    if (!created.created || this.#held.has(transaction) || this.#opening.has(transaction)) {
      return this.open(transaction);
    }
    return this.#begin(created.record, { epoch: created.epoch, first: 1 });
  }

  release(log: LiveLog): void {
    const held = this.#held.get(log.transaction);
    if (held === undefined) return;
    held.holders--;
    // What was written last may not have been read yet: the agent must see it before anybody looks whether it is idle.
    const reading = this.#lastLook(log);
    if (reading === undefined) this.#letGo(held);
    else reading.finally(() => this.#letGo(held));
  }

  #lastLook(log: LiveLog): Promise<void> | undefined {
    const failed = (error: unknown): void => {
      this.#context().log('warn', 'log not read', { transaction: log.transaction, error });
    };
    try {
      return log.refresh()?.catch(failed);
    } catch (error) {
      failed(error);
    }
    return undefined;
  }

  /** Settled once a user's message that is on its way into the store on this node is there, or is not. */
  storing(transaction: string, user: string, id: string): Promise<unknown> | undefined {
    return this.#held.get(transaction)?.log.storing(user, id);
  }

  /** Others appended to this transaction. */
  changed(transaction: string): void {
    this.#held.get(transaction)?.log.changed();
  }

  /** Another node let go of the right to answer in a transaction. */
  leaseIsFree(transaction: string): void {
    this.#held.get(transaction)?.agent?.leaseIsFree();
  }

  /** Begins no more turns; those that go on may end. */
  retire(): void {
    this.#isRetired = true;
    for (const held of [...this.#held.values()]) {
      held.log.idle.stop();
      held.agent?.retire();
      this.#letGo(held);
    }
  }

  /** Stops every turn, too. */
  close(): void {
    this.retire();
    for (const { agent } of [...this.#held.values()]) agent?.close();
  }

  /** Resolves when no transaction is in hand any more: everything is written, every lease let go. To be asked once. */
  async gone(): Promise<void> {
    if (this.#isGone) return;
    await new Promise<void>((resolve) => {
      this.#tellIdle = resolve;
    });
  }

  get #isGone(): boolean {
    return this.#held.size === 0 && this.#opening.size === 0 && this.#awaited === 0;
  }

  #look(): void {
    if (this.#isGone) this.#tellIdle?.();
  }

  #openLate(
    transaction: string,
    record: TransactionRecord | null | Promise<TransactionRecord | null>,
    head?: Promise<Head | null>,
  ): Promise<LiveLog | null> {
    const load = async (): Promise<LiveLog | null> => {
      const [known, top] = await Promise.all([record, head ?? this.#context().history.head(transaction)]);
      if (known === null || top === null) return null;
      return this.#read(known, top);
    };
    return this.#opened(transaction, load());
  }

  #begin(record: TransactionRecord, head: Pick<Head, 'epoch' | 'first'>): LiveLog | Promise<LiveLog | null> {
    const log = this.#read(record, head);
    return log instanceof Promise ? this.#opened(record.transaction, log) : log;
  }

  /** A log, read up to its end and held. */
  #read(record: TransactionRecord, head: Pick<Head, 'epoch' | 'first'>): LiveLog | Promise<LiveLog> {
    const log = new LiveLog(this.#context(), record, head);
    const reading = log.refresh();
    return reading ? reading.then(() => this.#hold(log)) : this.#hold(log);
  }

  #opened(transaction: string, opening: Promise<LiveLog | null>): Promise<LiveLog | null> {
    const shared = opening.finally(() => {
      this.#opening.delete(transaction);
      this.#look();
    });
    this.#opening.set(transaction, shared);
    return shared;
  }

  #hold(log: LiveLog): LiveLog {
    const tool = this.#context().toolbox.get(log.record.tool);
    const agent = tool && new Agent(this.#context(), log, tool, this.name);
    const held: Held = { log, agent, holders: 1 };
    this.#held.set(log.transaction, held);
    log.idle.over = () => this.#letGo(held);
    if (this.#isRetired) log.idle.stop();
    if (agent) {
      agent.idle = () => this.#letGo(held);
      agent.unanswered = () => this.unanswered(log.transaction);
      log.follow(agent);
      if (this.#isRetired) agent.retire();
      agent.wake();
    }
    return log;
  }

  #letGo(held: Held): void {
    // Let go of before, while somebody still looked at it; what is in hand now is another one.
    if (this.#held.get(held.log.transaction) !== held) return;
    if (held.holders > 0 || held.agent?.busy || held.log.idle.isNeeded) return;
    held.log.idle.stop();
    this.#held.delete(held.log.transaction);
    if (held.agent) {
      held.log.unfollow(held.agent);
      this.await(held.agent.close());
    }
    this.#look();
  }

  /** Not all is gone before this: a lease that is being let go, a transaction that is being created. Must not reject. */
  await(pending: Pending): void {
    if (!pending) return;
    this.#awaited++;
    pending.then(() => {
      this.#awaited--;
      this.#look();
    });
  }
}

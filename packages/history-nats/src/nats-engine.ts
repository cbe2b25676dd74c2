// What a store over JetStream is asked, each for whoever answers it. Spec: §3, §4.

import type { Answer, CreateWork, HistoryEngine, RevokeWork, Work } from '@haip/history-engine';
import type {
  Head,
  Heads,
  HistoryPage,
  HistoryRange,
  Pending,
  TransactionPage,
  TransactionRecord,
} from '@haip/protocol';
import type { Epoch } from './epoch.ts';
import { NatsUnavailable } from './exchange.ts';
import type { Hints } from './hints.ts';
import type { LogWork } from './log-plan.ts';
import type { Logs } from './logs.ts';
import type { Presence } from './presence.ts';
import type { Revocations } from './revocations.ts';
import type { Transactions } from './transactions.ts';
import type { Word } from './word.ts';

export interface EngineParts {
  readonly supports: HistoryEngine['supports'];
  readonly logs: Logs;
  readonly transactions: Transactions;
  readonly revocations: Revocations;
  readonly epoch: Epoch;
  readonly presence: Presence;
  readonly hints: Hints;
  readonly word: Word;
  /** Called with what is written. */
  tidy(): void;
  close(): Promise<void>;
}

export class NatsEngine implements HistoryEngine {
  readonly supports: HistoryEngine['supports'];
  /** Less than a link takes without parts: these cost a way to the server more. */
  readonly mostGroupBytes = 32_768;
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.supports = parts.supports;
    this.#parts = parts;
  }

  laneOf(work: Work): string {
    if (work.kind === 'create') return JSON.stringify([work.starter, work.referenceId]);
    return work.kind === 'revoke' ? '' : work.transaction;
  }

  /** Works of one lane: of one log, of one reference, or revocations. */
  async commit(works: readonly Work[]): Promise<readonly Answer[]> {
    const { logs, transactions, revocations, hints, presence, tidy } = this.#parts;
    await presence.ready();
    tidy();
    const [first] = works as [Work];
    if (first.kind === 'create') {
      const answers: Answer[] = [];
      for (const work of works) answers.push(await transactions.create(work as CreateWork));
      return answers;
    }
    if (first.kind === 'revoke') {
      const users = works.map((work) => (work as RevokeWork).user);
      await revocations.add(users);
      hints.revoked(users);
      return works.map(() => undefined);
    }
    const ofLog = works as readonly LogWork[];
    const settle = await transactions.joining(first.transaction, ofLog);
    const answers = await logs.write(first.transaction, ofLog);
    settle?.();
    return answers;
  }

  mayBeOfOne(error: unknown): boolean {
    return !(error instanceof NatsUnavailable);
  }

  async get(transaction: string): Promise<TransactionRecord | null> {
    await this.#parts.presence.ready();
    return this.#parts.transactions.get(transaction);
  }

  async list(user: string, after?: string): Promise<TransactionPage> {
    await this.#parts.presence.ready();
    return this.#parts.transactions.list(user, after);
  }

  async find(transaction: string, user: string, id: string): ReturnType<Logs['find']> {
    await this.#parts.presence.ready();
    return this.#parts.logs.find(transaction, user, id);
  }

  async read(transaction: string, range: HistoryRange): Promise<HistoryPage | null> {
    return this.#within(async ({ logs }) => logs.read(transaction, range));
  }

  async head(transaction: string): Promise<Head | null> {
    return this.#within(async ({ logs }) => {
      const fold = await logs.fresh(transaction);
      return fold && logs.headOf(fold);
    });
  }

  /** What is read within one epoch: what was read of a log that was lost meanwhile is read again. */
  async #within<Found extends object>(
    read: (parts: EngineParts) => Promise<Found | undefined>,
  ): Promise<(Found & { readonly epoch: string }) | null> {
    const { epoch, presence } = this.#parts;
    for (;;) {
      await presence.ready();
      const { current } = epoch;
      const found = await read(this.#parts);
      if (epoch.current === current) return found === undefined ? null : { epoch: current, ...found };
    }
  }

  async heads(transactions: readonly string[], since?: string): Promise<Heads> {
    const { epoch, presence, revocations } = this.#parts;
    await presence.ready();
    // Whoever asks this may have missed what others were told.
    await epoch.refresh();
    const [heads, revoked] = await Promise.all([
      Promise.all(transactions.map((transaction) => this.head(transaction))),
      revocations.since(since, epoch.current),
    ]);
    return { heads, ...revoked };
  }

  watch(changed: (transaction: string) => void, revoked?: (user: string) => void): () => void {
    return this.#parts.hints.watch(changed, revoked);
  }

  notify(topic: string, body: Uint8Array): Pending {
    this.#parts.word.notify(topic, body);
  }

  listen(topic: string, heard: (body: Uint8Array) => void): () => void {
    return this.#parts.word.listen(topic, heard);
  }

  close(): Promise<void> {
    return this.#parts.close();
  }
}

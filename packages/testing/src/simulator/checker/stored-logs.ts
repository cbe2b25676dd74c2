// Every log there ever was, by transaction and epoch, as the store's own answers tell it. Judges what the store does:
// density, single copies, leases, epochs, and that a page shows what is stored and nothing else.

import type { CreatedTransaction, Draft, Head, HistoryPage, HistoryRange, TransactionRecord } from '@haip/protocol';
import type { StoreWitness } from '../store-node.ts';
import { refusesForNow } from '../tools.ts';
import { StoredLog } from './stored-log.ts';
import type { Verdicts } from './verdicts.ts';

/** One transaction over all its epochs. */
export interface Known {
  readonly record: TransactionRecord;
  /** The log that counts; undefined when the store lost the transaction itself. */
  now: StoredLog | undefined;
  readonly logs: StoredLog[];
  /** The newest lease. */
  fence: number;
}

export class StoredLogs implements StoreWitness {
  readonly transactions = new Map<string, Known>();
  /** Messages whose answer the store refused to take. */
  readonly unanswerable = new Set<string>();
  /** What authors gave up without knowing its outcome: it may come yet, behind what they sent since. */
  readonly givenUp = new Set<string>();
  /** Answers of the store that an id had been used before. */
  repeats = 0;
  readonly #verdicts: Verdicts;
  readonly #references = new Map<string, string>();
  /** What tools wrote of messages that they did not end. */
  readonly left = new Map<string, string>();

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts;
  }

  known(transaction: string): Known | undefined {
    return this.transactions.get(transaction);
  }

  /** The log that counts now. */
  now(transaction: string): StoredLog | undefined {
    return this.transactions.get(transaction)?.now;
  }

  /** The log of one epoch. */
  of(transaction: string, epoch: string): StoredLog | undefined {
    return this.transactions.get(transaction)?.logs.find((log) => log.epoch === epoch);
  }

  created({ record, epoch }: CreatedTransaction, first: Draft, fresh: boolean): void {
    const { transaction, starter, referenceId } = record;
    const reference = `${starter} ${referenceId}`;
    if (!fresh) {
      if (this.#references.get(reference) === transaction) return;
      this.#verdicts.violated('3 single copy', `${reference} was answered with ${transaction}`);
      return;
    }
    const known = this.#references.get(reference);
    if (known !== undefined && this.now(known) !== undefined) {
      this.#verdicts.violated('3 single copy', `${reference} began ${known}, then ${transaction}`);
    }
    this.#references.set(reference, transaction);
    const log = new StoredLog(this.#verdicts, this, transaction, epoch, refusesForNow.has(record.tool));
    this.transactions.set(transaction, { record, now: log, logs: [log], fence: 0 });
    log.store(first, 1);
  }

  appended(transaction: string, drafts: readonly Draft[], fence: number | undefined): void {
    const known = this.transactions.get(transaction);
    for (const draft of drafts) {
      const { outcome } = draft;
      if (outcome === undefined || outcome.kind === 'refused') continue;
      if (known?.now === undefined) {
        this.#verdicts.violated('6 no invention', `${draft.type} was stored in ${transaction}, which is not there`);
        return;
      }
      if (outcome.kind === 'repeat') {
        this.repeats++;
        known.now.repeat(draft, outcome.position);
        continue;
      }
      if (fence !== undefined && fence < known.fence) {
        this.#verdicts.violated('13 one reader, one lease', `${transaction}: ${draft.type} under a stale lease`);
      }
      known.now.store(draft, outcome.position);
    }
  }

  /**
   * A tool was told that all it wrote of a message is stored; or it left that to its run, which then must not end well
   * without. Of what was lost since, nobody can say.
   */
  wrote(transaction: string, messageId: string, text: string, isEnded: boolean): void {
    const logs = this.known(transaction)?.logs ?? [];
    if (isEnded && logs.length === 1) logs[0]?.judgeText(messageId, text);
    else if (!isEnded) this.left.set(messageId, text);
  }

  leased(transaction: string, _holder: string, fence: number): void {
    const known = this.transactions.get(transaction);
    if (known) known.fence = Math.max(known.fence, fence);
  }

  lost(transaction: string, epoch: string | undefined, kept: readonly Draft[]): void {
    const known = this.transactions.get(transaction);
    if (known === undefined) return;
    known.now = undefined;
    known.fence = 0;
    if (epoch === undefined) return;
    if (known.logs.some((log) => log.epoch === epoch)) {
      this.#verdicts.violated('12 epoch honesty', `${transaction} lost entries and kept the epoch ${epoch}`);
    }
    const log = new StoredLog(this.#verdicts, this, transaction, epoch, true);
    known.now = log;
    known.logs.push(log);
    kept.forEach((draft, at) => void log.store(draft, at + 1));
  }

  headed(transaction: string, head: Head | null): void {
    const log = this.now(transaction);
    if (log?.epoch === head?.epoch && log && head) log.first = Math.max(log.first, head.first);
  }

  read(transaction: string, range: HistoryRange, page: HistoryPage | null): void {
    const log = this.now(transaction);
    if (page === null || log === undefined) return;
    const bad = (what: string): void =>
      this.#verdicts.violated('1 log density', `${transaction} read from ${range.from}: ${what}`);
    if (page.epoch !== log.epoch) return bad(`epoch ${page.epoch}, not ${log.epoch}`);
    if (page.first < log.first) return bad(`it began at ${page.first} after ${log.first}`);
    log.first = page.first;
    if (page.last !== log.last) return bad(`it ends at ${page.last}, not at ${log.last}`);
    let next = Math.max(range.from, page.first);
    for (const entry of page.entries) {
      for (; next < entry.position; next++) if (!log.at(next)?.superfluous) return bad(`${next} is missing`);
      next = entry.position + 1;
      if (entry.id !== log.at(entry.position)?.draft.id) {
        this.#verdicts.violated('2 log immutability', `${transaction} ${entry.position} is another message now`);
      }
    }
  }
}

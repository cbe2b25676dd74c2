// The writer's thread as its store has it: orders out, reports in. A thread that ends by itself is replaced when there
// is something to write again; what it had in hand is unknown.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Answer } from '@haip/history-engine';
import type { WriterData, WriterOrder, WriterReport } from './writer-thread.ts';

/** Result codes for a file or disk at fault: SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_CANTOPEN. */
const ofTheDisk = [10, 11, 13, 14];

/** A commit that failed. Nothing of it is stored unless the thread ended; the same drafts may be tried again. */
export class CommitFailed extends Error {
  /** Whether it may be the fault of one of several works, rather than of the disk or the thread. */
  readonly mayBeOfOne: boolean;

  /** @param sqliteCode SQLite's extended result code; undefined when the thread ended. */
  constructor(reason: string, sqliteCode: number | undefined, threadEnded = false) {
    super(`history: the file could not be written (${reason}); the same drafts may be tried again`);
    this.name = 'CommitFailed';
    // The lowest byte is the primary code. A value that cannot be bound has none.
    this.mayBeOfOne = !threadEnded && !ofTheDisk.includes((sqliteCode ?? 0) & 0xff);
  }
}

const isSource = import.meta.url.endsWith('.ts');
const threadFile = new URL(isSource ? './writer-thread.ts' : './writer-thread.js', import.meta.url);

export class Writer {
  readonly #data: WriterData;
  #thread: Worker | undefined;
  #answer: PromiseWithResolvers<readonly Answer[]> | undefined;

  constructor(data: WriterData) {
    this.#data = data;
  }

  /** One order at a time. Rejects with {@link CommitFailed}, or with what could not be sent to a thread. */
  async order(order: WriterOrder): Promise<readonly Answer[]> {
    this.#thread ??= this.#start();
    this.#thread.postMessage(order);
    // What is underway keeps the process alive; a store that lies idle does not.
    this.#thread.ref();
    this.#answer = Promise.withResolvers();
    return this.#answer.promise;
  }

  /** Ends the thread once the file is closed. */
  async close(): Promise<void> {
    this.#thread ??= this.#start();
    const ended = once(this.#thread, 'exit');
    try {
      await this.order({ what: 'close' });
    } finally {
      // Or a process that waits for nothing else would end before.
      this.#thread?.ref();
      await ended;
    }
  }

  #start(): Worker {
    // Sources name each other by the sources' condition, which a thread does not have by itself.
    const execArgv = isSource ? ['--conditions=@haip/source'] : [];
    const thread = new Worker(threadFile, { workerData: this.#data, execArgv, name: 'haip history' });
    thread.on('message', (report: WriterReport) => this.#take(report));
    thread.on('error', (error) => this.#ended(thread, error.message));
    thread.on('exit', () => this.#ended(thread, 'its thread ended'));
    return thread;
  }

  #take(report: WriterReport): void {
    const answer = this.#answer;
    this.#answer = undefined;
    this.#thread?.unref();
    if ('answers' in report) answer?.resolve(report.answers);
    else answer?.reject(new CommitFailed(report.failed.message, report.failed.code));
  }

  #ended(thread: Worker, reason: string): void {
    if (this.#thread === thread) this.#thread = undefined;
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.reject(new CommitFailed(reason, undefined, true));
  }
}

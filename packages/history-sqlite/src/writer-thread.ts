// The thread that writes: a commit waits for the disk, and waiting there is nobody's loss. Asked and answered by
// messages, one commit at a time.

import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, WindowLimits, Work } from '@haip/history-engine';
import { LogWriter } from './log-writer.ts';
import { connect } from './open-file.ts';

/** What the thread is started with. */
export interface WriterData {
  readonly path: string;
  readonly epoch: string;
  readonly synchronous: 'full' | 'normal';
  readonly limits: WindowLimits;
  readonly maxFileBytes: number | undefined;
}

/** What it is asked: to commit, or to close the file as one that nothing is missing from. */
export type WriterOrder =
  | { readonly what: 'commit'; readonly works: readonly Work[]; readonly now: number }
  | { readonly what: 'close' };

/** What it answers, one for each order. */
export type WriterReport =
  | { readonly answers: readonly Answer[] }
  | { readonly failed: { readonly message: string; readonly code: number | undefined } };

function startWriter({ path, epoch, synchronous, limits, maxFileBytes }: WriterData): (order: WriterOrder) => Answer[] {
  const db = connect(path, synchronous);
  if (maxFileBytes !== undefined) boundFile(db, maxFileBytes);
  const writer = new LogWriter(db, epoch, limits);
  return (order) => {
    if (order.what === 'commit') return writer.commit(order.works, order.now);
    db.exec("PRAGMA synchronous = FULL; UPDATE meta SET value = 'closed' WHERE name = 'run'");
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
    return [];
  };
}

function boundFile(db: DatabaseSync, maxFileBytes: number): void {
  const pageBytes = Number(db.prepare('PRAGMA page_size').get()?.['page_size']);
  db.exec(`PRAGMA max_page_count = ${Math.floor(maxFileBytes / pageBytes)}`);
}

if (parentPort !== null) {
  const port = parentPort;
  let follow: ((order: WriterOrder) => Answer[]) | undefined;
  port.on('message', (order: WriterOrder) => {
    try {
      follow ??= startWriter(workerData as WriterData);
      port.postMessage({ answers: follow(order) } satisfies WriterReport);
    } catch (error) {
      const { message, errcode } = error as Error & { errcode?: number };
      port.postMessage({ failed: { message, code: errcode } } satisfies WriterReport);
    }
    if (order.what === 'close') port.close();
  });
}

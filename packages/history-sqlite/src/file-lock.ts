// One process at a time on one file: several would judge rightly, but hear nothing of each other. The lock is the
// operating system's, on a file of its own, so that it goes with the process however that ends.

import { DatabaseSync } from 'node:sqlite';

/** How long to wait for a process that is about to end. */
const WAIT_MS = 2000;

/**
 * Takes the lock. Gives the way to let go of it.
 * @throws Error when another store has the file open.
 */
export function lockFile(path: string): () => void {
  const lock = new DatabaseSync(`${path}-lock`, { timeout: WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new Error(`path: ${path} is open in another process or store; one at a time may use it`, { cause });
  }
  return () => lock.close();
}

// What `bench/stores.ts` needs of a store to measure it. Each store is a file of stores/ that exports `open`.

import type { Draft, HistoryStore, Pending } from '@haip/protocol';

/** What keeps a message, by the client alone: nothing is judged, looked up or trimmed. Its logs are numbered. */
export interface BareLoop {
  /** Writes one draft to this log, and waits until it is kept. One at a time for each log. */
  append(log: number, draft: Draft): Pending;
  /** Writes all of them to the log that {@link read} reads. */
  fill(drafts: readonly Draft[]): Pending;
  /** Reads a page of 200 from this position, 1 or more, and parses it. Gives how many there were. */
  read(from: number): number | Promise<number>;
}

interface OpenedStore {
  /** The engine and its version. */
  readonly what: string;
  /** Empty, with a window of 10,000 messages or more. */
  readonly store: HistoryStore;
  readonly bare: BareLoop;
  /** Microseconds of CPU that the engine has spent on the store, or on the bare loop; 0 where it is in this process. */
  engineMicros(of: 'store' | 'bare'): number | Promise<number>;
  /** How many bytes the engine takes for all that the store has. */
  storedBytes(): number | Promise<number>;
  /** Removes what was written. Called once the store is closed. */
  end(): Pending;
}

/** @param logs how many logs the bare loop is to have. */
export type OpenStore = (logs: number) => OpenedStore | Promise<OpenedStore>;

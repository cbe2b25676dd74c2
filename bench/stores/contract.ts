// What `bench/stores.ts` needs of a store to measure it.

import type { HistoryStore } from '@haip/protocol';

/** The same rows or records as the store writes, by the client alone: nothing is judged, looked up or trimmed. */
export interface BareLoop {
  /** Writes one message for this worker, and waits until it is kept. */
  append(worker: number): Promise<void>;
  /** Reads a page of 200 of what the store keeps of the transaction `long`. Gives how many there were. */
  read(from: number): Promise<number>;
}

export interface OpenedStore {
  /** The engine and its version. */
  readonly what: string;
  /** Empty, with a window that lets nothing go meanwhile. */
  readonly store: HistoryStore;
  readonly bare: BareLoop;
  /** Microseconds of CPU that the engine has spent on `store`, where that can be told; else NaN. */
  engineMicros(): Promise<number>;
  /** The same for `bare`. */
  bareEngineMicros(): Promise<number>;
  /** How many bytes the engine takes for all of it. */
  storedBytes(): Promise<number>;
  /** Removes what was written. Called once the store is closed. */
  end(): Promise<void>;
}

export type OpenStore = () => Promise<OpenedStore>;

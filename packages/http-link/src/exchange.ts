// One HTTP request and its answer as the link needs them, whatever server they came through. Types only.

import type { PeerInfo } from '@haip/protocol';

export type Headers = Readonly<Record<string, string>>;

/** What is told of an answer's way to the peer. */
export interface ExchangeListener {
  /** The network takes more again. */
  drained(): void;
  /** The peer is gone, or has all of it. */
  gone(): void;
}

/** The body of an answer that does not end by itself. */
export interface Downstream {
  /** Takes the text in any case. False when the network is behind; the listener's `drained` comes later. */
  write(text: string): boolean;
  /** Bytes of the link that are off this end's hands. Never falls. */
  readonly written: number;
  /** Bytes that were written and wait for the network. */
  readonly unsent: number;
  /** Ends after what was written. */
  end(): void;
}

export interface Exchange {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: PeerInfo['headers'];
  readonly remoteAddress: string | undefined;
  /** The server listens for programs of this machine only. */
  readonly isLocal: boolean;
  /** The body, or the status of the refusal: 413 once it is longer, 408 when it takes longer, 400 when it broke off. */
  body(maxBytes: number, deadlineMs: number): Promise<Uint8Array | number>;
  /** The whole answer. */
  answer(status: number, headers: Headers, body?: string): void;
  /** Tells what becomes of the answer from now on. */
  attend(listener: ExchangeListener): void;
  /** Begins an answer that goes on. */
  stream(status: number, headers: Headers): Downstream;
  /** Breaks the link without a word. */
  cut(): void;
  /** Runs `job` when this turn of the event loop has done its work. */
  soon(job: () => void): void;
}

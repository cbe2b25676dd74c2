// A connection somebody looks at: tells what its reader takes and how it ended, and changes nothing.

import type {
  CloseCode,
  Connection,
  ConnectionEnd,
  ConnectionSupports,
  Envelope,
  Frame,
  Incoming,
} from '@haip/protocol';
import { Fault } from '@haip/protocol';

export interface ConnectionWitness {
  heard(envelope: Envelope): void;
  /** Told once. */
  ended(code: number): void;
}

export class WatchedConnection implements Connection {
  readonly supports: ConnectionSupports;
  readonly closed: Promise<ConnectionEnd>;
  readonly #inner: Connection;
  readonly #witness: ConnectionWitness;
  #isOver = false;

  constructor(inner: Connection, witness: ConnectionWitness) {
    this.#inner = inner;
    this.#witness = witness;
    this.supports = inner.supports;
    this.closed = inner.closed;
    void this.closed.then(({ code }) => this.#over(code));
  }

  get heard(): number {
    return this.#inner.heard;
  }

  get written(): number | undefined {
    return this.#inner.written;
  }

  get unsent(): number | undefined {
    return this.#inner.unsent;
  }

  send(frame: Frame): void | Promise<void> {
    return this.#inner.send(frame);
  }

  probe(): void {
    this.#inner.probe();
  }

  close(code: CloseCode, reason?: string, retryAfterMs?: number): void {
    this.#over(code);
    this.#inner.close(code, reason, retryAfterMs);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Incoming[]> {
    for await (const batch of this.#inner) {
      for (const incoming of batch) if (!(incoming instanceof Fault)) this.#witness.heard(incoming.envelope);
      yield batch;
    }
  }

  #over(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#witness.ended(code);
  }
}

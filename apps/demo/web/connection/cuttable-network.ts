// Makes transports whose connections can be lost on purpose, as a dead network loses them: all at once, no goodbye in
// either direction, nothing more in or out. The client learns of a cut; the server is told nothing at all.

import type { Connection, ConnectionEnd, Frame, Incoming, Transport } from '@haip/protocol';

type Batch = Incoming[];

class CuttableConnection implements Connection {
  readonly supports: Connection['supports'];
  readonly closed: Promise<ConnectionEnd>;
  readonly #inner: Connection;
  #lose: () => void = () => {};
  /** Ends the read that is waited for. */
  #release: () => void = () => {};
  #isLost = false;
  #heard = 0;

  constructor(inner: Connection) {
    this.#inner = inner;
    this.supports = inner.supports;
    this.closed = new Promise((resolve) => {
      this.#lose = () => resolve({ code: 1006, reason: 'cut on purpose' });
      void inner.closed.then(resolve);
    });
  }

  get heard(): number {
    if (!this.#isLost) this.#heard = this.#inner.heard;
    return this.#heard;
  }

  send(frame: Frame): void | Promise<void> {
    return this.#isLost ? undefined : this.#inner.send(frame);
  }

  probe(): void {
    if (!this.#isLost) this.#inner.probe();
  }

  close(...end: Parameters<Connection['close']>): void {
    if (!this.#isLost) this.#inner.close(...end);
  }

  cut(): void {
    this.#heard = this.heard;
    this.#isLost = true;
    this.#lose();
    this.#release();
  }

  [Symbol.asyncIterator](): AsyncIterator<Batch> {
    const batches = this.#inner[Symbol.asyncIterator]();
    const over = { done: true, value: undefined } as const;
    return {
      next: () =>
        new Promise((resolve, reject) => {
          if (this.#isLost) return resolve(over);
          this.#release = () => resolve(over);
          batches.next().then((result) => resolve(this.#isLost ? over : result), reject);
        }),
    };
  }
}

export interface CuttableNetwork {
  /** The transports it was made with, over this network. */
  readonly transports: readonly Transport[];
  /** Loses every connection, also one that is only being opened, and refuses new ones for `offlineMs`. Default 0. */
  cut(offlineMs?: number): void;
}

export function cuttableNetwork(
  transports: readonly Transport[],
  now: () => number = () => performance.now(),
): CuttableNetwork {
  const open = new Set<CuttableConnection>();
  let cuts = 0;
  let offlineUntil = 0;

  const overNetwork = (transport: Transport): Transport => ({
    name: transport.name,
    async dial(options, signal) {
      if (now() < offlineUntil) throw new Error('offline on purpose');
      const cutsBefore = cuts;
      const connection = new CuttableConnection(await transport.dial(options, signal));
      open.add(connection);
      void connection.closed.then(() => open.delete(connection));
      if (cuts !== cutsBefore) connection.cut();
      return connection;
    },
  });

  return {
    transports: transports.map(overNetwork),
    cut(offlineMs = 0) {
      cuts++;
      offlineUntil = now() + offlineMs;
      for (const connection of open) connection.cut();
    },
  };
}

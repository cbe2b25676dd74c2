// What nodes tell each other of the logs: that others added to one, that a user was revoked, that somebody waits for their
// turn. Hints: whoever misses one finds out otherwise.

import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { idIn, type Names } from './names.ts';
import { NODE } from './stream.ts';

/** Users told of in one message: with ids of the greatest length less than any server refuses. */
const MOST_USERS = 100;

export interface HintsOptions {
  readonly nc: NatsConnection;
  readonly names: Names;
  readonly isConnected: () => boolean;
  /** This node; what it says itself is not told. */
  readonly node: string;
  /** Called with the sequence of each link that another node added to a log. */
  seen(seq: number): void;
  /** Another node waits for its turn at a log. */
  wanted(transaction: string): void;
}

interface Watcher {
  readonly changed: (transaction: string) => void;
  readonly revoked: ((user: string) => void) | undefined;
}

export class Hints {
  readonly #options: HintsOptions;
  readonly #watchers = new Set<Watcher>();

  constructor(options: HintsOptions) {
    const { names } = options;
    this.#options = options;
    this.#subscribe(names.every('told'), (msg) => this.#told(msg));
    this.#subscribe(names.every('wanted'), ({ subject }) => options.wanted(idIn(subject)));
    this.#subscribe(names.revoking, (msg) => {
      for (const user of msg.json<string[]>()) for (const { revoked } of this.#watchers) revoked?.(user);
    });
  }

  watch(changed: Watcher['changed'], revoked: Watcher['revoked']): () => void {
    const watcher = { changed, revoked };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Hints may have been lost: tells of each transaction that it may have changed. */
  changed(transactions: readonly string[]): void {
    for (const transaction of transactions) for (const watcher of this.#watchers) watcher.changed(transaction);
  }

  /** Asks other nodes for this node's turn at a log. */
  want(transaction: string): void {
    this.#publish(this.#options.names.wanted(transaction), '');
  }

  /** Tells other nodes whose rights ended. */
  revoked(users: readonly string[]): void {
    for (let at = 0; at < users.length; at += MOST_USERS) {
      this.#publish(this.#options.names.revoking, JSON.stringify(users.slice(at, at + MOST_USERS)));
    }
  }

  /** Calls back no more. */
  close(): void {
    this.#watchers.clear();
  }

  #told({ subject, headers: head }: Msg): void {
    this.#options.seen(Number(head?.get('Nats-Sequence')));
    if (head?.has('Haip-Position')) this.changed([idIn(subject)]);
  }

  #publish(subject: string, payload: string): void {
    if (!this.#options.isConnected()) return;
    const head = headers();
    head.set(NODE, this.#options.node);
    this.#options.nc.publish(subject, payload, { headers: head });
  }

  #subscribe(subject: string, take: (msg: Msg) => void): void {
    this.#options.nc.subscribe(subject, {
      callback: (error, msg) => {
        if (error === null && msg.headers?.get(NODE) !== this.#options.node) take(msg);
      },
    });
  }
}

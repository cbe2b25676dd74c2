// The little that is in no log and must get from node to node, by the server's plain publish and subscribe: nobody keeps
// it. A body too long for one message goes in pieces; one that loses a piece is lost. Spec: §7.

import { headers, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Names } from './names.ts';

type Heard = (body: Uint8Array) => void;

/** A body of which some pieces came. */
interface Pieces {
  readonly all: Uint8Array[];
  readonly count: number;
}

interface Topic {
  readonly subscription: Subscription;
  readonly listeners: Set<Heard>;
  readonly unfinished: Map<string, Pieces>;
}

export interface WordOptions {
  readonly nc: NatsConnection;
  readonly names: Names;
  /** Most bytes of one message. */
  readonly pieceBytes: number;
  /** A name that nothing else has. */
  readonly nextName: () => string;
  readonly isConnected: () => boolean;
}

const PIECE = 'Haip-Piece';
/** Bodies of one topic that may be unfinished at once; the oldest goes. */
const MOST_UNFINISHED = 16;

export class Word {
  readonly #options: WordOptions;
  readonly #topics = new Map<string, Topic>();

  constructor(options: WordOptions) {
    this.#options = options;
  }

  notify(topic: string, body: Uint8Array): void {
    const { nc, names, pieceBytes, nextName, isConnected } = this.#options;
    // The driver would keep it until NATS is back, however much that is by then.
    if (!isConnected()) return;
    const subject = names.word(topic);
    const count = Math.ceil(body.length / pieceBytes);
    if (count <= 1) return nc.publish(subject, body);
    const name = nextName();
    for (let i = 0; i < count; i++) {
      const piece = headers();
      piece.set(PIECE, `${name} ${i} ${count}`);
      nc.publish(subject, body.subarray(i * pieceBytes, (i + 1) * pieceBytes), { headers: piece });
    }
  }

  listen(topic: string, heard: Heard): () => void {
    if (this.#options.nc.isClosed()) return () => {};
    const there = this.#topics.get(topic) ?? this.#subscribe(topic);
    // A listener of its own for each call, also of the same function.
    const own: Heard = (body) => heard(body);
    there.listeners.add(own);
    return () => {
      if (!there.listeners.delete(own) || there.listeners.size > 0) return;
      this.#topics.delete(topic);
      there.subscription.unsubscribe();
    };
  }

  #subscribe(topic: string): Topic {
    const callback = (error: Error | null, msg: Msg): void => {
      const body = error === null ? joined(msg, made.unfinished) : undefined;
      if (body !== undefined) for (const heard of made.listeners) heard(body);
    };
    const subscription = this.#options.nc.subscribe(this.#options.names.word(topic), { callback });
    const made: Topic = { subscription, listeners: new Set(), unfinished: new Map() };
    this.#topics.set(topic, made);
    return made;
  }
}

/** The body once its last piece came; undefined before. Pieces of one body come in order, as one node sends them. */
function joined({ data, headers: head }: Msg, unfinished: Map<string, Pieces>): Uint8Array | undefined {
  const [name = '', at, count] = (head?.get(PIECE) ?? '').split(' ');
  if (name === '') return new Uint8Array(data);
  if (at === '0') unfinished.set(name, { all: [], count: Number(count) });
  const pieces = unfinished.get(name);
  if (pieces === undefined || pieces.all.length !== Number(at)) {
    unfinished.delete(name);
    return undefined;
  }
  pieces.all.push(new Uint8Array(data));
  if (pieces.all.length < pieces.count) {
    for (const oldest of unfinished.keys()) {
      if (unfinished.size <= MOST_UNFINISHED) break;
      unfinished.delete(oldest);
    }
    return undefined;
  }
  unfinished.delete(name);
  return new Uint8Array(Buffer.concat(pieces.all));
}

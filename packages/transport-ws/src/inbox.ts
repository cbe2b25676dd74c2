// Holds what came until the consumer takes it, as one batch. Pauses its source when too much waits, so that a consumer
// that stops iterating makes the peer wait. Never drops anything and needs no timer: the promise that wakes the
// consumer runs after the read that filled the batch, so all messages of one read come together.

import type { Incoming } from '@haip/protocol';
import type { IncomingSink } from './frame-pairing.ts';

/** Whose inbox it is. */
export interface InboxOwner {
  /** Too much waits: no more is to come. */
  pause(): void;
  /** There is room again. */
  resume(): void;
  /** The consumer is done with a batch: it asks for the next one. */
  taken(): void;
}

type Batch = IteratorResult<Incoming[], undefined>;

export class Inbox implements AsyncIterator<Incoming[], undefined>, IncomingSink {
  readonly #owner: InboxOwner;
  readonly #readAheadBytes: number;
  #batch: Incoming[] = [];
  #waitingBytes = 0;
  #paused = false;
  #ended = false;
  #isBeingTaken = false;
  #wake: ((inbox: Inbox) => void) | undefined;

  /** Pauses while at least `readAheadBytes` wait. */
  constructor(readAheadBytes: number, owner: InboxOwner) {
    this.#readAheadBytes = readAheadBytes;
    this.#owner = owner;
  }

  /** The consumer has a batch in hand and did not ask for the next one yet. */
  get isBeingTaken(): boolean {
    return this.#isBeingTaken;
  }

  put(incoming: Incoming, size: number): void {
    this.#batch.push(incoming);
    this.#waitingBytes += size;
    if (this.#waitingBytes >= this.#readAheadBytes && !this.#paused) {
      this.#paused = true;
      this.#owner.pause();
    }
    this.#rouse();
  }

  /** What waits is still given; after that the iteration is over. */
  end(): void {
    this.#ended = true;
    this.#rouse();
  }

  next(): Promise<Batch> {
    if (this.#isBeingTaken) {
      this.#isBeingTaken = false;
      this.#owner.taken();
    }
    // No async function: this promise is what every idle connection holds, and its frame would cost 250 bytes each.
    const ready =
      this.#batch.length > 0 || this.#ended
        ? Promise.resolve<Inbox>(this)
        : new Promise<Inbox>((wake) => {
            this.#wake = wake;
          });
    return ready.then(Inbox.#take);
  }

  static #take(inbox: Inbox): Batch {
    const value = inbox.#batch;
    if (value.length === 0) return { done: true, value: undefined };
    inbox.#batch = [];
    inbox.#waitingBytes = 0;
    inbox.#isBeingTaken = true;
    if (inbox.#paused) inbox.#owner.resume();
    inbox.#paused = false;
    return { done: false, value };
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.(this);
  }
}

// One message or request underway: what it is, how far it got, and the promise of whoever waits for it. Keeps only what
// the outbox tells it. Spec: §3.

import { channels, type Envelope, type JsonValue } from '@haip/protocol';

/** How a message came out: its id, and its position where the receipt named it. */
export interface SendResult {
  readonly id: string;
  readonly position?: number;
}

export interface Draft {
  readonly id: string;
  readonly type: string;
  readonly transaction: string | null;
  readonly payload: JsonValue;
  readonly bytes?: Uint8Array | undefined;
  readonly mime?: string | undefined;
  /** Set for what is answered rather than acknowledged: it is kept until then, however long that takes. */
  readonly answered?: ((envelope: Envelope) => void) | undefined;
  /** Called once, before anything else. */
  readonly queued?: ((item: Outgoing) => void) | undefined;
  /** Called each time it is written. */
  readonly written?: (() => void) | undefined;
  /** Called once, when it left the outbox, and when the server asks to try it again. */
  readonly changed?: ((item: Outgoing) => void) | undefined;
}

/** A message or request underway. */
export class Outgoing {
  readonly draft: Draft;
  readonly order: number;
  readonly channel: string;
  /** Its number on the present connection; 0: not written on it. */
  number = 0;
  /** When it was first written, by both clocks: one stands still while a machine sleeps, the other may jump. */
  firstWritten: { readonly now: number; readonly monotonic: number } | undefined;
  refusals = 0;
  /** The code of the ERROR that asked to try again, until it is written again. */
  refusedBy: string | undefined;
  /** It is in the log. */
  settled = false;
  /** Nobody waits for it any more: it is not sent again. */
  abandoned = false;
  readonly #outcome = Promise.withResolvers<SendResult>();
  stopListening: (() => void) | undefined;

  constructor(draft: Draft, order: number) {
    this.draft = draft;
    this.order = order;
    this.channel = draft.type.startsWith('TRANSACTION_') ? channels.system : channels.user;
    // Whoever asks for the outcome hears of a rejection; a request's outcome nobody asks for must not end the process.
    this.#outcome.promise.catch(() => {});
  }

  get outcome(): Promise<SendResult> {
    return this.#outcome.promise;
  }

  resolve(position?: number): void {
    this.settled = true;
    this.#outcome.resolve(position === undefined ? { id: this.draft.id } : { id: this.draft.id, position });
  }

  reject(error: unknown): void {
    this.#outcome.reject(error);
  }
}

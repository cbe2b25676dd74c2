// Turns WebSocket messages into envelopes: text is an envelope, and one with `bin_len` takes the binary message right
// behind it as its bytes. Strict alternation: whatever else comes in between costs the envelope, never its successor.
// Pure: never reads a socket, closes or waits; what is wrong becomes a Fault for the core to answer. Spec: §7.

import { type CodecLimits, decode, type Envelope, Fault, type FaultDetails, type Incoming } from '@haip/protocol';

/** Takes what came, in order, with how many bytes it had on the wire. */
export interface IncomingSink {
  put(incoming: Incoming, size: number): void;
}

export class FramePairing {
  readonly #sink: IncomingSink;
  readonly #limits: CodecLimits;
  /** The envelope whose bytes come next. */
  #pending: Envelope | undefined;
  #pendingSize = 0;
  /** The last text was refused and has its Fault: bytes right behind it are part of what was refused. */
  #refused = false;

  constructor(sink: IncomingSink, limits: CodecLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Takes a text message of `size` UTF-8 bytes. */
  text(text: string, size: number): void {
    if (this.#pending) this.#refuse('a text message', 0);
    const read = decode(text, this.#limits, size);
    this.#refused = read instanceof Fault;
    if (read instanceof Fault) {
      this.#sink.put(read, size);
    } else if (read.bin_len === undefined) {
      this.#sink.put({ envelope: read, bytes: undefined, size }, size);
    } else {
      this.#pending = read;
      this.#pendingSize = size;
    }
  }

  /** Takes a binary message. The bytes are kept as they are, not copied. */
  binary(bytes: Uint8Array): void {
    const envelope = this.#pending;
    if (envelope?.bin_len === bytes.length) {
      const size = this.#pendingSize + bytes.length;
      this.#pending = undefined;
      this.#sink.put({ envelope, bytes, size }, size);
    } else if (envelope || !this.#refused) {
      this.#refuse(`${bytes.length} bytes`, bytes.length);
    }
    this.#refused = false;
  }

  /** Gives the Fault of the envelope that waits for its bytes, or of bytes that no envelope announced. */
  #refuse(got: string, size: number): void {
    const envelope = this.#pending;
    this.#pending = undefined;
    let details: FaultDetails = { expected: 'an envelope with bin_len', got, close: 1003 };
    if (envelope) {
      const { id, transaction, seq, bin_len } = envelope;
      details = { expected: `${bin_len} bytes`, got, relatedId: id, transaction, seq };
    }
    this.#sink.put(new Fault('PROTOCOL_VIOLATION', details), size);
  }
}

import type { CloseCode } from '../close-codes.ts';
import type { CodecLimits } from '../codec-limits.ts';
import type { Envelope } from '../envelope.ts';
import type { Fault } from '../errors.ts';

/** One envelope as it came, with the raw bytes that belong to it: both or neither. */
export interface Received {
  readonly envelope: Envelope;
  readonly bytes?: Uint8Array | undefined;
  /** UTF-8 bytes of the JSON text as it came, plus the raw bytes. */
  readonly size: number;
}

/** What a link brings: an envelope, or the fault of something that is none. */
export type Incoming = Received | Fault;

/**
 * An encoded envelope, ready to be written any number of times. Made once for all its readers.
 * `memo` belongs to the transport: what it made of the frame (say, a framed buffer), kept for the next reader.
 */
export interface Frame {
  readonly text: string;
  readonly bytes?: Uint8Array | undefined;
  /** Set by whoever makes a frame that several connections will send, so that the transport keeps what it makes of it. */
  readonly shared: boolean;
  memo?: unknown;
}

/** How a connection ended. */
export interface ConnectionEnd {
  /** One of the close codes, or what else the peer sent; 1006 when the link was cut. */
  readonly code: number;
  readonly reason: string;
  /** How long the peer asks to be left alone before the next attempt. */
  readonly retryAfterMs?: number | undefined;
}

/** What a transport can do, as data. */
export interface ConnectionSupports {
  /** Raw bytes travel beside the text; otherwise as base64 in `payload.data`. */
  readonly binary: boolean;
  /** A reader that stops iterating makes the peer wait. */
  readonly pause: boolean;
  /** Caps for what this end reads, which a server tells its client. Default: the codec's. */
  readonly limits?: CodecLimits | undefined;
}

/**
 * A link between two peers: whole envelopes in order, both ways, and one end. Both sides of every transport are
 * exactly this. Iterating gives batches, each what one read brought; it ends when the connection has ended and all
 * that came before was taken. It is iterated once. A batch is the taker's own, to empty or to keep.
 */
export interface Connection extends AsyncIterable<Incoming[]> {
  readonly supports: ConnectionSupports;

  /**
   * Writes a frame after all frames before it. Returns nothing when the link takes more, else a promise that
   * resolves when it does again. The frame is taken in both cases; resolving says nothing about the peer.
   * After the end frames are dropped without an error: `closed` tells.
   */
  send(frame: Frame): void | Promise<void>;

  /** Asks the peer for a sign of life by the link's own means (a WebSocket ping, a comment line). */
  probe(): void;

  /** How many times anything at all arrived, the link's own signs of life included. Never falls. */
  readonly heard: number;

  /**
   * How many bytes of what was sent are off this end's hands: a slow link is told from a stuck one by whether it rises.
   * Never falls. Absent where the link does not tell, as on a client's end; a writer then takes it to stand still.
   */
  readonly written?: number | undefined;

  /** Bytes of what was sent that wait for the network. Absent where the link does not tell. */
  readonly unsent?: number | undefined;

  /** Ends the connection after what was sent before. Safe to call twice; the first call counts. */
  close(code: CloseCode, reason?: string, retryAfterMs?: number): void;

  /** Resolves once, when the link is gone, with why. Never rejects. */
  readonly closed: Promise<ConnectionEnd>;
}

import type { CodecLimits } from '../codec-limits.ts';
import type { Connection } from './connection.ts';
import type { Logger } from './logger.ts';

export interface DialOptions {
  /** Caps for what is read, where the platform lets a transport set them. Default: the codec's. */
  readonly limits?: CodecLimits | undefined;
  /** Takes what a transport finds out and its connection can not tell. Default: it is lost. */
  readonly logger?: Logger | undefined;
}

/** A way to reach a server. Made by a factory named for it: `webSocket({ url })`. */
export interface Transport {
  /** For people and logs: `websocket`, `sse`, `http`. */
  readonly name: string;

  /**
   * Opens a connection. Rejects with an Error that says what was tried when it does not open, and with the signal's
   * reason when that is aborted; nothing stays open then.
   */
  dial(options: DialOptions, signal: AbortSignal): Promise<Connection>;
}

import type { CloseCode } from '../close-codes.ts';
import type { Connection } from './connection.ts';

/** What a server side transport knows of a peer before it has said a word. Given to the authenticator. */
export interface PeerInfo {
  /** `websocket`, `sse`, `http`, `memory`. */
  readonly transport: string;
  /** Names in lower case. Never logged. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly remoteAddress?: string | undefined;
}

/** Why no connection would be taken now. */
export interface Unavailable {
  /** What a connection that comes all the same is closed with. */
  readonly code?: CloseCode | undefined;
  readonly reason: string;
  /** How long to stay away, in ms. */
  readonly retryAfterMs?: number | undefined;
}

/** What a server side transport calls for each connection. Resolves when the server is done with it; never rejects. */
export interface Accept {
  (connection: Connection, info: PeerInfo): Promise<void>;
  /**
   * Asked before a link is opened: undefined while a connection would be taken. Else a transport that can answers 503, with
   * `Retry-After`, and opens none. Absent: one is always taken.
   */
  unavailable?(): Unavailable | undefined;
}

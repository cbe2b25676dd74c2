import type { Connection } from './connection.ts';

/** What a server side transport knows of a peer before it has said a word. Given to the authenticator. */
export interface PeerInfo {
  /** `websocket`, `sse`, `http`, `memory`. */
  readonly transport: string;
  /** Names in lower case. Never logged. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly remoteAddress?: string | undefined;
}

/** What a server side transport calls for each connection. Resolves when the server is done with it; never rejects. */
export type Accept = (connection: Connection, info: PeerInfo) => Promise<void>;

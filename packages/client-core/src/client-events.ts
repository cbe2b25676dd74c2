// What a client tells, and what it is asked with. Types only.

import type { JsonValue } from '@haip/protocol';
import type { LoopState } from './connection-loop.ts';
import type { FailedMessage } from './core.ts';
import type { RefusedError } from './errors.ts';
import type { Cursor, WaitOptions } from './transaction.ts';

/** What a client is at. */
export type ClientState =
  | { readonly name: 'idle' }
  | LoopState
  /** `transport`: the name of the one that carries it. Told again when another one does. */
  | { readonly name: 'connected'; readonly session: string; readonly transport: string }
  /** It stays so until `connect` is called again. Without a reason it was the application's own doing. */
  | { readonly name: 'disconnected'; readonly reason: Error | undefined };

export interface ClientEvents {
  state: ClientState;
  /** An ERROR of the server that answers nothing this client sent. */
  error: RefusedError;
  /** A message that an earlier page sent, and that this one can not: `send()` would have rejected with `reason`. */
  failed: FailedMessage;
}

/**
 * Gives the credentials for the next attempts, in whatever shape the server's authenticator takes. `forced`: the server
 * refused the last ones, so those that were kept somewhere are of no use.
 */
export type Credentials = (context: { readonly forced: boolean }) => unknown;

export interface StartOptions extends WaitOptions {
  readonly params?: JsonValue | undefined;
}

export interface JoinOptions extends WaitOptions {
  /** Where to go on from. Without it: from the first entry that is kept. */
  readonly cursor?: Cursor | undefined;
}

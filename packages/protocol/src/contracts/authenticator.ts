import type { PermissionMap } from '../permissions.ts';
import type { PeerInfo } from './accept.ts';

/** Who is behind a connection, as the application's authenticator says. */
export interface HAIPUser {
  /** A primary key that stays the same for this user for ever. 1–128 characters. */
  readonly id: string;
  /** What the user may send: {@link createPermissionMap}, or the plain object it takes. */
  readonly permissions: PermissionMap | Readonly<Record<string, readonly string[]>>;
  /** What the account of a user id not seen before begins with, where the server keeps accounts. Finite, 0 or more. */
  readonly credits: number;
  /** When the rights end, in ms since epoch. */
  readonly expiresAt?: number | undefined;
  /** The channels the user may write on. Default: USER only. */
  readonly channels?: readonly string[] | undefined;
  /** Anything else the tools should know. Never sent anywhere. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

export interface AuthContext extends PeerInfo {
  /** Aborted when the peer is gone, or the time is over, before there is an answer. */
  readonly signal: AbortSignal;
}

/**
 * Turns what the client's `authenticate` function gave into a user, or null to refuse. May be async. `auth` is untrusted, and
 * null when the client gave nothing. What it throws is logged and refuses, as many a library throws at a token that is wrong; an
 * error with `retry: true`, say of a database that is away, sends the client away for a moment only (1013). The text of
 * neither reaches the peer.
 */
// biome-ignore lint/suspicious/noExplicitAny: credentials have the application's own shape, as in v1
export type Authenticator = (auth: any, context: AuthContext) => HAIPUser | null | Promise<HAIPUser | null>;

// Asks the application who somebody is, within a deadline, and believes nothing it answers unchecked. What it throws
// is logged, never told. Spec: §2; attacks A38–A41.

import {
  type AuthContext,
  type Clock,
  createPermissionMap,
  Fault,
  type HAIPUser,
  isChannel,
  isJsonObject,
  type JsonValue,
  type PeerInfo,
  type PermissionMap,
} from '@haip/protocol';
import type { ServerContext } from './context.ts';
import { deadline } from './deadline.ts';
import type { Stop } from './stop.ts';

/** A user as the server keeps it: permissions always a map. */
export interface KnownUser extends HAIPUser {
  readonly permissions: PermissionMap;
  /** When the credentials came, by the monotonic clock. */
  readonly shownAt: number;
}

const defaultChannels: readonly string[] = ['USER'];

/** The channels a user may write on. */
export function channelsOf(user: KnownUser): readonly string[] {
  return user.channels ?? defaultChannels;
}

function readPermissions(value: unknown): PermissionMap | undefined {
  if (value instanceof Map) return [...value.values()].every((targets) => targets instanceof Set) ? value : undefined;
  if (!isJsonObject(value)) return undefined;
  try {
    return createPermissionMap(value as Record<string, never>);
  } catch {
    // The caller logs that the shape is wrong; the details are the application's.
    return undefined;
  }
}

/** The user, when the authenticator's answer has the shape of one and is not out of date; else undefined. */
function readUser(value: unknown, clock: Clock, shownAt: number): KnownUser | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const user = value as Partial<Record<keyof HAIPUser, unknown>>;
  const permissions = readPermissions(user.permissions);
  if (permissions === undefined || typeof user.id !== 'string' || user.id.length < 1 || user.id.length > 128) {
    return undefined;
  }
  if (typeof user.credits !== 'number' || !Number.isFinite(user.credits) || user.credits < 0) return undefined;
  if (user.channels !== undefined && !(Array.isArray(user.channels) && user.channels.every(isChannel)))
    return undefined;
  if (user.expiresAt !== undefined && !(typeof user.expiresAt === 'number' && user.expiresAt > clock.now())) {
    return undefined;
  }
  return { ...(value as HAIPUser), permissions, shownAt };
}

const refused = (): Fault => new Fault('AUTHENTICATION_FAILED', { expected: 'valid credentials', close: 1008 });

/**
 * Authenticates one HAI.
 *
 * @returns the user; AUTHENTICATION_FAILED (closes 1008) when refused, broken or misshapen; OVERLOADED (closes 1013)
 * when no answer came in time. Never rejects.
 *
 * @param stop stopped by the caller when the peer is gone, and here when the time is over
 */
export async function authenticate(
  context: ServerContext,
  auth: JsonValue | undefined,
  info: PeerInfo,
  stop: Stop,
): Promise<KnownUser | Fault> {
  const authenticator = context.authenticator();
  if (authenticator === undefined) {
    context.log('error', 'authenticator missing', { expected: 'server.authenticate(fn)' });
    return refused();
  }
  const shownAt = context.clock.monotonic();
  const late = Promise.withResolvers<Fault>();
  stop.whenStopped(() => late.resolve(refused()));
  const timer = deadline(context.clock, context.limits.authTimeoutMs, () => {
    context.log('warn', 'authenticator timed out');
    late.resolve(new Fault('OVERLOADED', { expected: 'a verdict in time', close: 1013 }));
    stop.stop(new Error('the time to authenticate is over'));
  });
  // The address costs a system call, the signal an object: neither is made unless it is looked at.
  const given: AuthContext = {
    transport: info.transport,
    headers: info.headers,
    get remoteAddress() {
      return info.remoteAddress;
    },
    get signal() {
      return stop.signal;
    },
  };
  try {
    const answer = await Promise.race([authenticator(auth ?? null, given), late.promise]);
    if (answer instanceof Fault) return answer;
    const user = readUser(answer, context.clock, shownAt);
    if (user === undefined && answer !== null) {
      context.log('error', 'authenticator gave no user', { expected: '{ id, permissions, credits } or null' });
    }
    return user ?? refused();
  } catch (error) {
    context.log('error', 'authenticator threw', { error });
    return refused();
  } finally {
    timer.cancel();
  }
}

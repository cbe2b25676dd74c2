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
  if (value instanceof Map && [...value.values()].every((targets) => targets instanceof Set)) return value;
  if (!isJsonObject(value)) return undefined;
  try {
    return createPermissionMap((value instanceof Map ? Object.fromEntries(value) : value) as Record<string, never>);
  } catch {
    // The caller logs that the shape is wrong; the details are the application's.
    return undefined;
  }
}

/**
 * The user, when the authenticator's answer has the shape of one and is not out of date; else what was expected of it. Each
 * field is read once and by its name: it may be a getter, and what was checked is what counts.
 */
function readUser(value: unknown, clock: Clock, shownAt: number): KnownUser | string {
  if (typeof value !== 'object' || value === null) return '{ id, permissions, credits } or null';
  const { id, permissions, credits, channels, expiresAt, claims } = value as Partial<Record<keyof HAIPUser, unknown>>;
  if (typeof id !== 'string' || id.length < 1 || id.length > 128) return 'id: 1 to 128 characters';
  const known = readPermissions(permissions);
  if (known === undefined) return 'permissions: event types, each with a list of ids or *';
  if (typeof credits !== 'number' || !Number.isFinite(credits) || credits < 0) return 'credits: a number, 0 or more';
  if (channels !== undefined && !(Array.isArray(channels) && channels.every(isChannel)))
    return 'channels: a list of names';
  if (expiresAt !== undefined && !(typeof expiresAt === 'number' && expiresAt > clock.now())) {
    return 'expiresAt: a time to come, in ms';
  }
  return { id, permissions: known, credits, channels, expiresAt, claims: claims as HAIPUser['claims'], shownAt };
}

const refused = (): Fault => new Fault('AUTHENTICATION_FAILED', { expected: 'valid credentials', close: 1008 });

/** Nobody knows who that is, and asking again can help. */
const undecided = (): Fault => new Fault('OVERLOADED', { expected: 'a verdict in time', close: 1013 });

/** Whether an error is one of those that pass. Many a library throws at credentials that are wrong, so others are not. */
function saysRetry(error: unknown): boolean {
  return error instanceof Error && Object.getOwnPropertyDescriptor(error, 'retry')?.value === true;
}

/**
 * Authenticates one HAI.
 *
 * @returns the user; AUTHENTICATION_FAILED (closes 1008) when refused, broken or misshapen; OVERLOADED (closes 1013)
 * when no answer came in time, or what was thrown says `retry`. Never rejects.
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
    late.resolve(undecided());
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
    if (answer === null) return refused();
    const user = readUser(answer, context.clock, shownAt);
    if (typeof user !== 'string') return user;
    context.log('error', 'authenticator gave no user', { expected: user });
    return refused();
  } catch (error) {
    context.log('error', 'authenticator threw', { error });
    return saysRetry(error) ? undecided() : refused();
  } finally {
    timer.cancel();
  }
}

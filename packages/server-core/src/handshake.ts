// One HAI judged: version, credentials, session. Asks in this order and looks nothing up before the credentials are
// good. The credentials go to the authenticator and nowhere else. Spec: §2.

import {
  type ConnectionSupports,
  checkFromClient,
  defaultCodecLimits,
  type Envelope,
  eventTypes,
  Fault,
  isDecimal,
  isJsonObject,
  type JsonObject,
  negotiate,
  type PeerInfo,
  protocolMajor,
  protocolVersion,
  readDecimal,
  type Terms,
} from '@haip/protocol';
import { authenticate, type KnownUser } from './authentication.ts';
import { finite } from './charges.ts';
import type { ServerContext } from './context.ts';
import type { ServerLimits } from './limits.ts';
import { issueToken, readToken } from './resume-token.ts';
import type { Stop } from './stop.ts';

/** What a granted HAI comes to. */
export interface Welcome {
  readonly user: KnownUser;
  readonly terms: Terms;
  /** The session id that counts from now on. */
  readonly session: string;
  /** It was one before: other nodes may have a connection of it. */
  readonly isResumed: boolean;
  readonly token: string;
  /** Which of a session's connections is the newest. */
  readonly attempt: number;
  /** What the user may spend; undefined where nobody pays. */
  readonly credits: number | undefined;
  /** Cursors the client brought, each to be treated as a JOIN. */
  readonly resume: readonly JsonObject[];
}

/**
 * Judges a HAI. A refusal is a {@link Fault} that closes the connection; rejects only when the signer does.
 *
 * @param current the session that a later HAI goes on with; what its token says does not matter then.
 */
export async function judgeHai(
  context: ServerContext,
  hai: Envelope,
  info: PeerInfo,
  stop: Stop,
  current?: string,
): Promise<Welcome | Fault> {
  const misshapen = checkFromClient(hai, eventTypes.HAI);
  if (misshapen) return new Fault(misshapen.code, { ...misshapen, close: 1008 });
  const terms = negotiate(hai.payload);
  if (terms instanceof Fault) return terms;
  const payload: JsonObject = isJsonObject(hai.payload) ? hai.payload : {};
  const { signer, revocations, clock } = context;
  const before = revocations.count;
  const user = await authenticate(context, payload['auth'], info, stop);
  if (user instanceof Fault) return user;
  const credits = await openAccount(context, user);
  if (credits instanceof Fault) return credits;
  const known = current ?? (await tokenOf(context, payload['resume_token'], user));
  const session = known ?? context.ids();
  const { attempt } = payload;
  const token = await issueToken(signer, session, user.id, clock.now());
  if (revocations.hit(user.id, before, user.shownAt)) return revoked;
  return {
    user,
    terms: acceptsAll(terms.events) ? { ...terms, events: undefined } : terms,
    session,
    isResumed: known !== undefined,
    token,
    attempt: isDecimal(attempt) ? readDecimal(attempt) : 0,
    credits,
    resume: Array.isArray(payload['resume']) ? payload['resume'] : [],
  };
}

/** A signer that throws at a token that is not its own does not know it. */
async function tokenOf({ signer, revocations, log }: ServerContext, token: unknown, user: KnownUser) {
  try {
    return await readToken(signer, token, user.id, revocations.at(user.id));
  } catch (error) {
    log('error', 'resume token not read', { error });
    return undefined;
  }
}

/** The user's account, opened if it was not. A ledger that does not answer turns nobody into a spender without limit. */
async function openAccount({ charges, log }: ServerContext, user: KnownUser): Promise<number | undefined | Fault> {
  try {
    return charges && finite(await charges.ledger.open(user.id, user.credits));
  } catch (error) {
    log('error', 'account not opened', { error });
    return new Fault('OVERLOADED', { expected: 'the accounts to answer', close: 1013 });
  }
}

/** Whatever a user once showed, it counts no more. */
export const revoked = new Fault('AUTHENTICATION_FAILED', {
  expected: 'credentials that were not revoked',
  close: 1008,
});

const acceptedEvents = Object.keys(eventTypes);
const storedEvents = Object.entries(eventTypes).flatMap(([type, { stored }]) => (stored ? [type] : []));

/** Whether a peer takes every type that a log can hold: then its list need not be kept, nor looked at for each entry. */
function acceptsAll(events: Terms['events']): boolean {
  return events !== undefined && storedEvents.every((type) => events.has(type));
}

/** What each window of a client begins with. Not for a plain v1 peer, which is never given more. */
function windowsOf({ windowMessages, windowBytes }: ServerLimits): JsonObject {
  return { initial_credit_messages: windowMessages, initial_credit_bytes: windowBytes };
}

/** What the server says of itself in its HAI. How large a message may be is the link's to say, which reads it. */
export function haiPayload(context: ServerContext, welcome: Welcome, supports: ConnectionSupports): JsonObject {
  const { limits } = context;
  const { maxTextBytes, maxBinaryBytes } = supports.limits ?? defaultCodecLimits;
  return {
    haip_version: protocolVersion,
    accept_major: [protocolMajor],
    accept_events: acceptedEvents,
    capabilities: {
      binary_frames: true,
      max_concurrent_runs: limits.maxConcurrentRuns,
      transaction_log: true,
      ...(welcome.terms.transactionLog ? { flow_control: windowsOf(limits) } : {}),
    },
    limits: {
      max_text_bytes: maxTextBytes,
      max_binary_bytes: maxBinaryBytes,
      max_stream_bytes: limits.maxStreamBytes,
      max_joined: limits.maxJoined,
      max_replay_entries: limits.maxReplayEntries,
      ping_after_ms: limits.pingAfterMs,
    },
    retry_within_ms: limits.retryWithinMs,
    resume_token: welcome.token,
    ...(welcome.credits === undefined ? {} : { credits: welcome.credits }),
  };
}

// The one owner of connecting: dials, waits, dials again, until it is told to stop or a close says to stay away. Ends
// when its signal is aborted, whatever it was at, and leaves no timer and no link behind. Spec: §2, §6.

import type { JsonObject, Transport } from '@haip/protocol';
import { asError, ClientError, RefusedError } from './errors.ts';
import type { Settings } from './options.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import { Session, type SessionEnd, type SessionOwner } from './session.ts';
import { type Haste, orAborted, pause } from './waiting.ts';

/** What a loop is at, between its sessions. */
export type LoopState =
  | { readonly name: 'connecting' }
  /** The connection is gone, for `reason`; the next attempt begins in `retryInMs`. */
  | { readonly name: 'waiting'; readonly retryInMs: number; readonly reason: Error };

/** What the loop asks and tells. */
export interface LoopOwner extends SessionOwner {
  /** What to say in the next HAI, credentials included; `forced`: new ones. What it throws is the attempt's end. */
  greet(forced: boolean): Promise<JsonObject>;
  become(state: LoopState): void;
  /** The attempt, or the session it led to, is over. */
  ended(end: SessionEnd): void;
}

/**
 * Keeps a client connected. Gives why it stopped, or undefined when the signal stopped it. `haste` dials now instead of
 * waiting; when there is a connection, the server is asked for a sign of life.
 */
export async function keepConnected(
  settings: Settings,
  owner: LoopOwner,
  signal: AbortSignal,
  haste: Haste,
): Promise<Error | undefined> {
  const { clock, random, stableAfterMs } = settings;
  let { transports } = settings;
  let failures = 0;
  let wasOpen = false;
  let forced = false;
  while (!signal.aborted) {
    let end: SessionEnd | undefined;
    owner.become({ name: 'connecting' });
    try {
      const greeting = await orAborted(owner.greet(forced), signal);
      for (const transport of transports) {
        end = await attempt(transport, settings, owner, greeting, signal, haste);
        if (end.openedAt !== undefined) {
          wasOpen = true;
          if (clock.monotonic() - end.openedAt >= stableAfterMs) {
            failures = 0;
            forced = false;
          }
          transports = [transport, ...transports.filter((other) => other !== transport)];
          break;
        }
        if (signal.aborted || end.retryAfterMs || end.next !== 'resume') break;
      }
    } catch (cause) {
      // Credentials that can not be had at first are a mistake to show; later they may be a network that is away.
      const error = new ClientError('authenticate', 'authenticate failed.', cause);
      end = { next: wasOpen ? 'resume' : 'stop', error };
    }
    if (signal.aborted || !end) break;
    owner.ended(end);
    // Credentials may have run out, so new ones are worth one attempt. When these are refused too, more will not help.
    if (!forced && isAuthenticationFailure(end)) {
      forced = true;
      continue;
    }
    // Else a wrong address would be tried for ever without a word.
    if (!wasOpen && failures === 0) settings.logger('warn', 'not connected', { error: end.error });
    if (end.next === 'stop') return end.error;
    const delayMs = (end.retryAfterMs ?? 0) + reconnectDelay(failures++, random, settings);
    const retryInMs = Math.min(2 ** 31 - 1, delayMs);
    owner.become({ name: 'waiting', retryInMs, reason: end.error });
    await pause(clock, retryInMs, signal, haste);
  }
  return undefined;
}

function isAuthenticationFailure({ error }: SessionEnd): boolean {
  return error instanceof RefusedError && error.code === 'AUTHENTICATION_FAILED';
}

/** One transport from its dial to the end of the session on it. */
async function attempt(
  transport: Transport,
  settings: Settings,
  owner: LoopOwner,
  greeting: JsonObject,
  signal: AbortSignal,
  haste: Haste,
): Promise<SessionEnd> {
  const { clock, connectTimeoutMs, limits } = settings;
  const patience = new AbortController();
  const late = new ClientError('timeout', `${transport.name}: no HAI in time.`, undefined, true);
  const timer = clock.timer(connectTimeoutMs, () => patience.abort(late));
  const either = AbortSignal.any([signal, patience.signal]);
  try {
    const dialing = transport.dial({ limits }, either);
    // One that opens after it was given up is closed at once.
    dialing.then((connection) => either.aborted && connection.close(1000)).catch(() => {});
    const session = new Session(await orAborted(dialing, either), settings, owner, timer);
    haste.now = () => session.probe();
    const stop = (): void => session.end('resume', 1000, asError(either.reason));
    either.addEventListener('abort', stop);
    // The abort may have come between the end of the dial and this.
    if (either.aborted) stop();
    return await session.begin(greeting);
  } catch (error) {
    return { next: 'resume', error: asError(error) };
  } finally {
    timer.cancel();
  }
}

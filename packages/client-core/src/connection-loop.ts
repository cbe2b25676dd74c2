// The one owner of connecting: dials, waits, dials again, until it is told to stop or a close says to stay away. Ends
// when its signal is aborted, whatever it was at, and leaves no timer and no link behind. Spec: §2, §6.

import type { Connection, JsonValue, Transport } from '@haip/protocol';
import { asError, ClientError } from './errors.ts';
import type { Greeting } from './handshake.ts';
import type { Settings } from './options.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import { Session, type SessionEnd, type SessionOwner } from './session.ts';
import { orAborted, pause } from './waiting.ts';

/** What the loop asks and tells. */
export interface LoopOwner extends SessionOwner {
  /** The application's credentials, anew for each attempt. What it throws is the attempt's end. */
  authenticate(): Promise<JsonValue | undefined>;
  /** What to say in the next HAI. Each has a higher attempt than the one before. */
  greeting(auth: JsonValue | undefined): Greeting;
  connecting(): void;
  /** The attempt, or the session it led to, is over. */
  ended(end: SessionEnd): void;
  waiting(retryInMs: number, error: Error): void;
}

interface AttemptEnd extends SessionEnd {
  /** How long the session lived; undefined: the server never said HAI. */
  readonly livedMs?: number;
}

function failure(error: Error, next: SessionEnd['next'] = 'resume'): AttemptEnd {
  return { next, forget: false, error, retryAfterMs: 0 };
}

const LONGEST_MS = 2 ** 31 - 1;

/** Keeps a client connected. Gives why it stopped, or undefined when the signal stopped it. Never rejects. */
export async function keepConnected(
  settings: Settings,
  owner: LoopOwner,
  signal: AbortSignal,
): Promise<Error | undefined> {
  const { clock, random, reconnect } = settings;
  let failures = 0;
  let first = 0;
  let wasOpen = false;
  while (true) {
    owner.connecting();
    let end = failure(new ClientError('closed', 'Stopped.'));
    try {
      const auth = await orAborted(owner.authenticate(), signal);
      for (let i = 0; i < settings.transports.length; i++) {
        const index = (first + i) % settings.transports.length;
        end = await useTransport(settings.transports[index] as Transport, auth, settings, owner, signal);
        if (end.livedMs !== undefined) first = index;
        if (signal.aborted || end.livedMs !== undefined || end.retryAfterMs > 0 || end.next !== 'resume') break;
      }
    } catch (cause) {
      const error = new ClientError('authenticate', 'The authenticate function failed.', { cause });
      // Credentials that can not be had at first are a mistake to show; later they may be a network that is away.
      end = failure(error, wasOpen ? 'resume' : 'stop');
    }
    if (signal.aborted) return undefined;
    owner.ended(end);
    if (end.next === 'stop') return end.error;
    wasOpen ||= end.livedMs !== undefined;
    if ((end.livedMs ?? 0) >= reconnect.stableAfterMs) failures = 0;
    const delayMs = Math.min(LONGEST_MS, end.retryAfterMs + reconnectDelay(failures++, random, reconnect));
    owner.waiting(delayMs, end.error);
    await pause(clock, delayMs, signal);
    if (signal.aborted) return undefined;
  }
}

/** One transport from its dial to the end of the session on it. */
async function useTransport(
  transport: Transport,
  auth: JsonValue | undefined,
  settings: Settings,
  owner: LoopOwner,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  const { clock, connectTimeoutMs } = settings;
  const patience = new AbortController();
  const late = new ClientError('timeout', `${transport.name}: no HAI within ${connectTimeoutMs} ms.`, { retry: true });
  const timer = clock.timer(connectTimeoutMs, () => patience.abort(late));
  const either = AbortSignal.any([signal, patience.signal]);
  let openedAt: number | undefined;
  try {
    const connection = await dial(transport, settings, either);
    const session = new Session(connection, settings, {
      opened(opened, welcome) {
        timer.cancel();
        openedAt = clock.monotonic();
        owner.opened(opened, welcome);
      },
      receive: (received, from) => owner.receive(received, from),
      drained: () => owner.drained(),
    });
    const stop = (): void => session.end('resume', 1000, asError(either.reason));
    either.addEventListener('abort', stop, { once: true });
    // The abort may have come between the end of the dial and this.
    if (either.aborted) stop();
    else session.begin(owner.greeting(auth));
    const end = await session.ended;
    either.removeEventListener('abort', stop);
    return openedAt === undefined ? end : { ...end, livedMs: clock.monotonic() - openedAt };
  } catch (error) {
    return failure(asError(error));
  } finally {
    timer.cancel();
  }
}

/** Opens a connection. One that opens after the signal was aborted is closed at once. */
function dial(transport: Transport, { limits }: Settings, signal: AbortSignal): Promise<Connection> {
  const dialing = transport.dial({ limits }, signal);
  const closeLate = (connection: Connection): void => {
    if (signal.aborted) connection.close(1000);
  };
  dialing.then(closeLate, () => {});
  return orAborted(dialing, signal);
}

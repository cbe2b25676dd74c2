// One transport from its dial to the end of the session on it. Gives it up when it does not open in time, or opens and
// does not deliver: a proxy that buffers answers takes what is sent and holds back what comes. Spec: §2, §7.

import type { JsonObject, Transport } from '@haip/protocol';
import { asError, ClientError } from './errors.ts';
import type { Settings } from './options.ts';
import { Session, type SessionEnd, type SessionOwner } from './session.ts';
import { orAborted } from './waiting.ts';

/** What an attempt asks and tells. */
export interface AttemptOwner extends Pick<SessionOwner, 'receive' | 'drained'> {
  /** What to say in HAI, asked for when it is written. */
  greet(): JsonObject;
  /** The server's HAI is here. True: the transport has to show that it delivers. */
  opened(session: Session): boolean;
  /** It delivers. Told again at each answer to a PING. */
  delivers(): void;
}

/** How an attempt ended. */
export interface AttemptEnd extends SessionEnd {
  /** When the transport was seen to deliver, by the monotonic clock. */
  readonly openedAt?: number | undefined;
}

/** Resolves with how it ended. `stop` and `stopped` end it; `stop` is aborted afterwards in any case. */
export async function attempt(
  transport: Transport,
  settings: Settings,
  owner: AttemptOwner,
  stop: AbortController,
  stopped: AbortSignal,
): Promise<AttemptEnd> {
  const { clock, connectTimeoutMs, deliverTimeoutMs, limits, logger } = settings;
  const signal = AbortSignal.any([stop.signal, stopped]);
  let openedAt: number | undefined;
  const late = (what: string) => (): void =>
    stop.abort(new ClientError('timeout', `${transport.name}: no ${what} in time.`, undefined, true));
  let timer = clock.timer(connectTimeoutMs, late('HAI'));
  try {
    const dialing = transport.dial({ limits, logger }, signal);
    // One that opens after it was given up is closed at once.
    dialing.then((connection) => signal.aborted && connection.close(1000)).catch(() => {});
    const connection = await orAborted(dialing, signal);
    const delivers = (): void => {
      timer.cancel();
      openedAt ??= clock.monotonic();
      owner.delivers();
    };
    // Whatever comes counts: behind a long backlog the answer itself is late. So does a timer that is: then this machine
    // stood still, and what came meanwhile was not read yet.
    const waitForAnswer = (): void => {
      const { heard } = connection;
      const lateAt = clock.monotonic() + deliverTimeoutMs * 1.5;
      timer = clock.timer(deliverTimeoutMs, () => {
        if (connection.heard > heard || clock.monotonic() > lateAt) waitForAnswer();
        else late('sign of life')();
      });
    };
    const session: Session = new Session(connection, settings, {
      ...owner,
      opened() {
        timer.cancel();
        if (!owner.opened(session)) return delivers();
        session.write({ type: 'PING', payload: {} });
        waitForAnswer();
      },
      answered: delivers,
    });
    const end = (): void => session.end('resume', 1000, asError(signal.reason));
    signal.addEventListener('abort', end);
    // The abort may have come between the end of the dial and this.
    if (signal.aborted) end();
    return { ...(await session.begin(owner.greet())), openedAt };
  } catch (error) {
    return { next: 'resume', error: asError(error) };
  } finally {
    timer.cancel();
    stop.abort();
  }
}

// What a client can be told, with its defaults.

import { consoleWarnings, harmless, systemClock, systemRandom, uuidIds, wakeSignals } from '@haip/platform';
import type { Clock, CodecLimits, Ids, Logger, Random, Transport, Wake } from '@haip/protocol';
import type { OutboxKeeper } from './core.ts';
import type { HeartbeatOptions } from './heartbeat.ts';
import type { DelayRange } from './reconnect-delay.ts';
import { defaultWindow, type WindowOptions } from './windows.ts';

export interface ReconnectOptions extends DelayRange {
  /** A connection that lived this long makes the next wait a short one again. Default 30,000 ms. */
  readonly stableAfterMs: number;
}

export interface FallbackOptions {
  /** How long `authenticate` has to give credentials. Default 30,000 ms. */
  readonly authenticateTimeoutMs: number;
  /** How long one transport then has to open and bring the server's HAI. Default 10,000 ms. */
  readonly connectTimeoutMs: number;
  /**
   * How long it may then bring nothing at all before it brought the answer to a PING. Only while there is another one to
   * fall back to. Default 3,000 ms.
   */
  readonly deliverTimeoutMs: number;
  /** How long a client stays with a lesser transport before it tries a better one again. Default 300,000 ms. */
  readonly preferAfterMs: number;
}

export interface ClientOptions extends Partial<WindowOptions & FallbackOptions> {
  /**
   * In order of preference: one that does not open or does not deliver is passed over for the next. What worked last is
   * tried first after a cut.
   */
  readonly transports: readonly Transport[];
  readonly reconnect?: Partial<ReconnectOptions> | undefined;
  readonly heartbeat?: Partial<HeartbeatOptions> | undefined;
  /** Caps for what is read, where the transport can set them: a browser's WebSocket has its own. Default: the codec's. */
  readonly limits?: CodecLimits | undefined;
  /** Keeps what is not settled over a reload: `sessionStorageOutbox()`. Default: nothing is kept. */
  readonly outbox?: OutboxKeeper | undefined;
  /** Default: in a browser, a page that is seen again and a network that is back; elsewhere nothing. */
  readonly wake?: Wake | undefined;
  readonly clock?: Clock | undefined;
  readonly ids?: Ids | undefined;
  readonly random?: Random | undefined;
  /** Default: warnings and errors to the console. Credentials and message text are never logged. */
  readonly logger?: Logger | undefined;
}

export interface Settings extends ReconnectOptions, HeartbeatOptions, WindowOptions, FallbackOptions {
  readonly transports: readonly Transport[];
  readonly limits?: CodecLimits | undefined;
  readonly outbox?: OutboxKeeper | undefined;
  readonly wake: Wake;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly logger: Logger;
}

const defaults = {
  authenticateTimeoutMs: 30_000,
  connectTimeoutMs: 10_000,
  deliverTimeoutMs: 3_000,
  preferAfterMs: 300_000,
  ...defaultWindow,
  minDelayMs: 100,
  maxDelayMs: 20_000,
  stableAfterMs: 30_000,
  pingAfterMs: 20_000,
  deadAfterMs: 10_000,
  wake: wakeSignals,
  clock: systemClock,
  ids: uuidIds,
  random: systemRandom,
  logger: consoleWarnings,
};

/** Whether there is something that can dial. */
export const isTransport = (given: Transport | undefined): boolean => given?.dial !== undefined;

/**
 * The options with everything left out filled in.
 * @throws RangeError without a transport, for a duration outside 0 … 2^31−1 ms (a platform fires such a timer at once),
 * or for a window without room for one message.
 */
export function settingsOf({ reconnect, heartbeat, ...options }: ClientOptions): Settings {
  const given = Object.entries({ ...options, ...reconnect, ...heartbeat }).filter(([, value]) => value !== undefined);
  const settings: Settings = { ...defaults, ...(Object.fromEntries(given) as Pick<Settings, 'transports'>) };
  const { transports, logger } = settings;
  if (!transports?.length || !transports.every(isTransport))
    throw new RangeError('transports: expected a list, say [webSocket({ url })]');
  for (const [name, number] of Object.entries(settings)) {
    const least = name.startsWith('window') ? 1 : 0;
    if (/Ms$|^window/.test(name) && !(number >= least && number < 2 ** 31))
      throw new RangeError(`${name}: expected ${least} to 2147483647, got ${number}`);
  }
  return { ...settings, logger: harmless(logger) };
}

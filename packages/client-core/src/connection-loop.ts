// The one owner of connecting: dials, waits, dials again, until it is told to stop or a close says to stay away, and moves
// a live session to another transport. Leaves no timer and no link behind when it is stopped. Spec: §2, §6, §7.

import type { JsonObject, Timer, Transport } from '@haip/protocol';
import { type AttemptEnd, type AttemptOwner, attempt } from './attempt.ts';
import { ClientError, type ConnectionEndedError } from './errors.ts';
import type { Settings } from './options.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import type { Session, SessionEnd } from './session.ts';
import { orAborted, pause } from './waiting.ts';

/** What a loop is at, between its sessions. */
export type LoopState =
  | { readonly name: 'connecting' }
  /** The connection is gone, for `reason`; the next attempt begins in `retryInMs`. */
  | { readonly name: 'waiting'; readonly retryInMs: number; readonly reason: Error };

/** What the loop asks and tells. */
export interface LoopOwner extends Pick<AttemptOwner, 'receive' | 'drained'> {
  /** The credentials, as HAI has them; `forced`: new ones. What it throws is the end of the attempts they are for. */
  authenticate(forced: boolean): Promise<JsonObject>;
  /** What else to say in the next HAI; with `cursors`, where the server is to read on. */
  greet(cursors: boolean): JsonObject;
  become(state: LoopState): void;
  /** A session is there. One that `moved` takes the place of another, and brought no cursors. */
  opened(session: Session, transport: Transport, moved: boolean): void;
  /** The attempt, or the session it led to, is over, and no other took its place. */
  ended(end: SessionEnd): void;
}

export class ConnectionLoop {
  /** Does not wait: dials now, or asks the server for a sign of life. */
  now: () => void = () => {};
  readonly #settings: Settings;
  readonly #owner: LoopOwner;
  readonly #stopped = new AbortController();
  /** In the order the application wants. */
  #preferred: readonly Transport[];
  /** What delivered last is tried first. */
  #last: Transport | undefined;
  /** What was tried since something delivered. */
  readonly #tried = new Set<Transport>();
  /** What carries the session or is about to. A move puts itself in its place. */
  #lead: Promise<AttemptEnd> | undefined;
  /** Ends it. */
  #stopLead = new AbortController();
  /** Settled when no move is under way. */
  #moving: Promise<unknown> | undefined;
  /** How many HAIs were said. */
  #hais = 0;
  /** When a better transport is to be tried again, by the monotonic clock; 0: not yet said. */
  #betterAt = 0;
  #turn = 0;

  constructor(settings: Settings, owner: LoopOwner) {
    this.#settings = settings;
    this.#owner = owner;
    this.#preferred = settings.transports;
  }

  /** Ends it, whatever it is at. */
  stop(reason: Error): void {
    this.#stopped.abort(reason);
  }

  /** Keeps the client connected. Gives why it stopped by itself, or undefined when it was told to. */
  async run(): Promise<Error | undefined> {
    const { clock, random, stableAfterMs, logger } = this.#settings;
    const { signal } = this.#stopped;
    let failures = 0;
    let wasOpen = false;
    let forced = false;
    while (!signal.aborted) {
      let end: AttemptEnd;
      try {
        end = await this.#round(forced, signal);
      } catch (cause) {
        // Credentials that can not be had at first are a mistake to show; later they may be a network that is away.
        const error = new ClientError('authenticate', 'authenticate failed.', cause);
        end = { next: wasOpen ? 'resume' : 'stop', error };
      }
      if (signal.aborted) break;
      this.#tried.clear();
      if (end.openedAt !== undefined) {
        wasOpen = true;
        if (clock.monotonic() - end.openedAt >= stableAfterMs) {
          failures = 0;
          forced = false;
        }
      }
      // Credentials may have run out, so new ones are worth one attempt. When these are refused too, more will not help.
      if (!forced && (end.error as ClientError).code === 'AUTHENTICATION_FAILED') {
        forced = true;
        continue;
      }
      // Else a wrong address would be tried for ever without a word.
      if (!wasOpen && failures === 0) logger('warn', 'not connected', { error: end.error });
      if (end.next === 'stop') return end.error;
      const delayMs = (end.retryAfterMs ?? 0) + reconnectDelay(failures++, random, this.#settings);
      const retryInMs = Math.min(2 ** 31 - 1, delayMs);
      this.#owner.become({ name: 'waiting', retryInMs, reason: end.error });
      await pause(clock, retryInMs, signal, this);
    }
    return undefined;
  }

  /** See `HAIPClient.useTransport`. */
  async move(transport: Transport, signal: AbortSignal | undefined): Promise<void> {
    const stop = new AbortController();
    const prefer = (): void => {
      this.#preferred = [transport, ...this.#preferred.filter((other) => other !== transport)];
    };
    try {
      await orAborted(this.#move(transport, stop, prefer), signal);
    } catch (error) {
      // Unless it opened just now, and carries the session.
      if (stop !== this.#stopLead) stop.abort(error);
      throw error;
    }
  }

  /** Opens another connection beside what is there, which goes on until that one takes its place. One at a time. */
  #move(transport: Transport, stop = new AbortController(), taking = () => {}): Promise<void> {
    const before = this.#moving;
    const move = async (): Promise<void> => {
      await before;
      try {
        this.#stopped.signal.throwIfAborted();
        const auth = await orAborted(this.#authenticate(false), stop.signal);
        await new Promise<void>((resolve, reject) => {
          const end = this.#attempt(transport, auth, stop, () => {
            taking();
            this.#stopLead.abort();
            this.#stopLead = stop;
            this.#lead = end;
            // Whoever waits for the next attempt need not.
            this.now();
            resolve();
          });
          end.then(({ error }) => reject(error));
        });
      } catch (cause) {
        throw new ClientError('not_moved', `${transport.name} did not open: nothing was moved.`, cause, true);
      }
    };
    const moved = move();
    this.#moving = moved.catch(() => {});
    return moved;
  }

  #authenticate(forced: boolean): Promise<JsonObject> {
    return orAborted(this.#owner.authenticate(forced), this.#stopped.signal);
  }

  /** The transport to try next, if there is one that was not tried. */
  get #next(): Transport | undefined {
    return [this.#last, ...this.#preferred].find((transport) => transport && !this.#tried.has(transport));
  }

  /** Tries one transport after the other until one delivers. Gives how that, or else the last one, ended. */
  async #round(forced: boolean, signal: AbortSignal): Promise<AttemptEnd> {
    let auth: JsonObject | undefined;
    for (;;) {
      await this.#moving;
      signal.throwIfAborted();
      if (!this.#lead) {
        this.#owner.become({ name: 'connecting' });
        auth ??= await this.#authenticate(forced);
      }
      // A move may have opened meanwhile.
      this.#lead ??= this.#attempt(this.#next as Transport, auth as JsonObject);
      const lead = this.#lead;
      const end = await lead;
      await this.#moving;
      if (lead !== this.#lead) continue;
      this.#lead = undefined;
      signal.throwIfAborted();
      this.#owner.ended(end);
      if (end.openedAt !== undefined || end.next !== 'resume' || end.retryAfterMs || !this.#next) return end;
    }
  }

  /** `taking` is called when it takes the place of what is there. */
  async #attempt(
    transport: Transport,
    auth: JsonObject,
    stop = new AbortController(),
    taking?: () => void,
  ): Promise<AttemptEnd> {
    const owner = this.#owner;
    let hai = 0;
    let timer: Timer | undefined;
    if (!taking) {
      this.#stopLead = stop;
      this.#tried.add(transport);
    }
    const delivers = (): void => {
      this.#last = transport;
      this.#tried.clear();
      timer?.cancel();
      timer = this.#waitForBetter(transport, stop.signal, delivers);
    };
    const opened = (session: Session): boolean => {
      taking?.();
      this.#tried.add(transport);
      this.now = () => session.probe();
      owner.opened(session, transport, taking !== undefined);
      return this.#next !== undefined;
    };
    const greet = (): JsonObject => {
      hai = ++this.#hais;
      return { ...auth, ...owner.greet(!taking) };
    };
    const tells = { ...owner, delivers, greet, opened };
    const end = await attempt(transport, this.#settings, tells, stop, this.#stopped.signal);
    timer?.cancel();
    // Whoever took the session over with a newer HAI was this client itself.
    const isOwn = hai < this.#hais && (end.error as ConnectionEndedError).closeCode === 4409;
    return isOwn ? { ...end, next: 'resume', forget: false } : end;
  }

  /** While a lesser transport carries the session: tries the better ones again, in turn. Then waits `again`. */
  #waitForBetter(current: Transport, signal: AbortSignal, again: () => void): Timer | undefined {
    const { clock, preferAfterMs } = this.#settings;
    const rank = this.#preferred.indexOf(current);
    const now = clock.monotonic();
    // Over reconnects, too: there are proxies that let no stream live long.
    this.#betterAt = rank && (this.#betterAt || now + preferAfterMs);
    if (!rank) return undefined;
    return clock.timer(Math.max(0, this.#betterAt - now), async () => {
      this.#betterAt = 0;
      await this.#moving;
      if (!signal.aborted) await this.#move(this.#preferred[this.#turn++ % rank] as Transport).catch(() => {});
      if (!signal.aborted) again();
    });
  }
}

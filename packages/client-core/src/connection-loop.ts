// The one owner of connecting: dials, waits, dials again, until it is told to stop or a close says to stay away, and moves
// a live session to another transport. Leaves no timer and no link behind when it is stopped. Spec: §2, §6, §7.

import type { JsonValue, Timer, Transport } from '@haip/protocol';
import type { ClientCore } from './core.ts';
import { ClientError } from './errors.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import { Session, type SessionEnd, type SessionOwner } from './session.ts';
import { orAborted } from './waiting.ts';

/** What a loop is at, between its sessions. */
export type LoopState =
  | { readonly name: 'connecting' }
  /** The connection is gone, for `reason`; the next attempt begins in `retryInMs`. */
  | { readonly name: 'waiting'; readonly retryInMs: number; readonly reason: Error };

export class ConnectionLoop implements SessionOwner {
  readonly #core: ClientCore;
  /** In the order the application wants. */
  #preferred: readonly Transport[];
  /** What delivered last is tried first. */
  #last: Transport | undefined;
  /** What was tried since something delivered. */
  readonly #tried = new Set<Transport>();
  /** What carries the client or is about to. */
  #lead: Session | undefined;
  /** All that have not ended. */
  readonly #sessions = new Set<Session>();
  /** Settled when no move is under way. */
  #moving: Promise<unknown> | undefined;
  #credentials: Promise<JsonValue | undefined> | undefined;
  /** Until the next attempt, or while there is a session until a better transport is tried. */
  #timer: Timer | undefined;
  /** When a better transport is to be tried again, by the monotonic clock; 0: not yet said. */
  #betterAt = 0;
  #turn = 0;
  #failures = 0;
  #wasOpen = false;
  #isForced = false;
  #isOver = false;

  constructor(core: ClientCore) {
    this.#core = core;
    this.#preferred = core.settings.transports;
  }

  /** Begins a round of attempts, with the same credentials: one transport after the other until one delivers. */
  async begin(): Promise<void> {
    await this.#moving;
    if (this.#lead || this.#isOver) return;
    this.#timer?.cancel();
    this.#tried.clear();
    this.#credentials = this.#core.authenticate(this.#isForced);
    this.#dial();
  }

  /** Does not wait: dials now, or asks the server for a sign of life. */
  now(): void {
    if (this.#lead) this.#lead.probe();
    else void this.begin();
  }

  /** Ends it, whatever it is at. */
  stop(reason: Error): void {
    this.#isOver = true;
    this.#lead = undefined;
    this.#timer?.cancel();
    for (const session of this.#sessions) session.end('stop', reason);
  }

  /** See `HAIPClient.useTransport`. */
  async move(transport: Transport, signal: AbortSignal | undefined): Promise<void> {
    const session = this.#session(transport);
    const prefer = (): void => {
      this.#preferred = [transport, ...this.#preferred.filter((other) => other !== transport)];
    };
    try {
      await orAborted(this.#move(session, prefer), signal);
    } catch (error) {
      // Unless it opened just now, and carries the client.
      if (session !== this.#lead) session.end('stop', error as Error);
      throw error;
    }
  }

  /** Opens a session beside what is there, which goes on until that one takes its place. One at a time. */
  #move(session: Session, prefer = () => {}): Promise<void> {
    const before = this.#moving;
    const move = async (): Promise<void> => {
      await before;
      try {
        await new Promise<void>((resolve, reject) => {
          session.takeOver = () => {
            prefer();
            this.#lead?.end('resume', new ClientError('moved', 'The session was moved.'));
            this.#lead = session;
            resolve();
          };
          session.ended.then(({ error }) => reject(error));
          void session.begin(this.#core.authenticate(false));
        });
      } catch (cause) {
        throw new ClientError('not_moved', `${session.transport.name} did not open.`, cause, true);
      }
    };
    const moved = move();
    this.#moving = moved.catch(() => {});
    return moved;
  }

  /** The transport to try next, if there is one that was not tried. */
  get #next(): Transport | undefined {
    return [this.#last, ...this.#preferred].find((transport) => transport && !this.#tried.has(transport));
  }

  #dial(): void {
    this.#core.become({ name: 'connecting' });
    this.#lead = this.#session(this.#next as Transport);
    void this.#lead.begin(this.#credentials as Promise<JsonValue>);
  }

  #session(transport: Transport): Session {
    const session = new Session(this.#core, transport, this);
    this.#sessions.add(session);
    void session.ended.then((end) => this.#after(session, end));
    return session;
  }

  opened(session: Session): boolean {
    this.#timer?.cancel();
    session.takeOver?.();
    this.#tried.add(session.transport);
    this.#core.opened(session);
    return this.#next !== undefined;
  }

  delivers({ transport }: Session): void {
    this.#last = transport;
    this.#tried.clear();
    this.#waitForBetter(this.#preferred.indexOf(transport));
  }

  /** While a lesser transport carries the client: tries the better ones again, in turn. */
  #waitForBetter(rank: number): void {
    const { clock, preferAfterMs } = this.#core.settings;
    const now = clock.monotonic();
    // Over reconnects, too: there are proxies that let no stream live long.
    this.#betterAt = rank && (this.#betterAt || now + preferAfterMs);
    if (!rank) return;
    const lead = this.#lead;
    this.#timer = clock.timer(Math.max(0, this.#betterAt - now), async () => {
      this.#betterAt = 0;
      await this.#move(this.#session(this.#preferred[this.#turn++ % rank] as Transport)).catch(() => {});
      if (lead && lead === this.#lead) this.#waitForBetter(rank);
    });
  }

  /** What comes after a session: nothing, if another took its place; the next transport; or a wait. */
  async #after(session: Session, end: SessionEnd): Promise<void> {
    this.#sessions.delete(session);
    await this.#moving;
    if (session !== this.#lead) return;
    this.#lead = undefined;
    this.#timer?.cancel();
    this.#tried.add(session.transport);
    this.#core.ended(end);
    // What the listeners were told may have ended it all.
    if (this.#isOver) return;
    const { next, retryAfterMs, error } = end;
    const { code } = error as ClientError;
    // Without credentials another transport is of no use.
    const isOfTransport = session.openedAt === undefined && next === 'resume' && code !== 'authenticate';
    if (isOfTransport && !retryAfterMs && this.#next) this.#dial();
    else this.#wait(session, end, code);
  }

  #wait({ openedAt }: Session, { next, error, retryAfterMs }: SessionEnd, code: string): void {
    const { settings } = this.#core;
    const { clock, random, stableAfterMs, logger } = settings;
    if (openedAt !== undefined) {
      this.#wasOpen = true;
      if (clock.monotonic() - openedAt >= stableAfterMs) {
        this.#failures = 0;
        this.#isForced = false;
      }
    }
    // Credentials may have run out, so new ones are worth one attempt. When these are refused too, more will not help.
    if (!this.#isForced && code === 'AUTHENTICATION_FAILED') {
      this.#isForced = true;
      void this.begin();
      return;
    }
    // Else a wrong address would be tried for ever without a word.
    if (!this.#wasOpen && this.#failures === 0) logger('warn', 'not connected', { error });
    // Credentials that can not be had at first are a mistake to show; later they may be a network that is away.
    if (next === 'stop' || (!this.#wasOpen && code === 'authenticate')) return this.#core.stopped(error);
    const retryInMs = Math.min(2 ** 31 - 1, retryAfterMs + reconnectDelay(this.#failures++, random, settings));
    this.#timer = clock.timer(retryInMs, () => void this.begin());
    this.#core.become({ name: 'waiting', retryInMs, reason: error });
  }
}

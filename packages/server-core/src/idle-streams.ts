// Ends message streams that nobody goes on with, as `interrupted`, so that none stays open for ever. Looks at those of
// one log now and then, and at none while none is open; a part costs nothing here. Spec: §3.2, LOG-12.

import type { Draft, Timer } from '@haip/protocol';
import { compactEnded } from './closing.ts';
import type { ServerContext } from './context.ts';
import { endPayload } from './drafting.ts';
import type { LiveLog } from './live-log.ts';
import type { OpenStream } from './log-state.ts';

/** How often it looks before a stream's time is over: that is how much too late it may be seen, as a share. */
const LOOKS = 10;

/** A stream as it was when it was last seen to go on. */
interface Sighting {
  readonly parts: number;
  readonly since: number;
}

export class IdleStreams {
  readonly #context: ServerContext;
  readonly #log: LiveLog;
  #seen: Map<string, Sighting> | undefined;
  #timer: Timer | undefined;
  #stopped = false;
  /** Called when no stream is open any more. */
  over: () => void = () => {};

  constructor(context: ServerContext, log: LiveLog) {
    this.#context = context;
    this.#log = log;
  }

  /** Whether somebody's stream is open: its log must stay in hand for it to be ended. The agent's end with their turn. */
  get isNeeded(): boolean {
    if (this.#stopped) return false;
    for (const { owner } of this.#log.state.streams.values()) if (owner !== null) return true;
    return false;
  }

  /** There are open streams. */
  watch(): void {
    if (this.#timer === undefined && !this.#stopped) this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  readonly #look = (): void => {
    const { clock, limits } = this.#context;
    const now = clock.monotonic();
    const seen = new Map<string, Sighting>();
    for (const [id, stream] of this.#log.state.streams) {
      const { parts } = stream;
      const before = this.#seen?.get(id);
      const sighting = before?.parts === parts ? before : { parts, since: now };
      seen.set(id, sighting);
      if (now - sighting.since >= limits.streamIdleMs) void this.#interrupt(id, parts);
    }
    this.#seen = seen;
    const isIdle = seen.size === 0;
    this.#timer = isIdle ? undefined : clock.timer(Math.ceil(limits.streamIdleMs / LOOKS), this.#look);
    if (isIdle) this.over();
  };

  /** One that fails is tried again at the next look. */
  async #interrupt(messageId: string, parts: number): Promise<void> {
    const { log } = this.#context;
    const { transaction, state } = this.#log;
    try {
      // Another node may have stored more of it.
      await this.#log.refresh();
      const stream = state.streams.get(messageId);
      if (stream?.parts !== parts || this.#stopped) return;
      const draft = this.#endOf(messageId, stream);
      await this.#log.append([draft]);
      await compactEnded(this.#log, { messageId, start: stream.start, draft });
    } catch (error) {
      log('warn', 'idle message not ended', { transaction, message: messageId, error });
    }
  }

  #endOf(messageId: string, stream: OpenStream): Draft {
    const { clock, ids, limits, logs } = this.#context;
    const payload = endPayload({ message_id: messageId, status: 'interrupted' }, stream, limits.maxTextBytes);
    return {
      id: ids(),
      user: null,
      session: logs.name,
      ts: clock.now(),
      channel: stream.channel,
      type: 'MESSAGE_END',
      payload,
      size: stream.text.length + 512,
      run_id: stream.runId,
      digest: '',
      // Without an owner: anybody's may be ended so.
      subject: { key: `message:${messageId}`, step: 'end' },
      outcome: undefined,
    };
  }
}

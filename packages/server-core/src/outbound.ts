// What a session says besides entries: answers, receipts, errors, notices. The newest `ack` rides on whatever goes
// next, so that it costs an envelope of its own only when nothing else goes. Spec: §3.

import {
  type Connection,
  channels,
  type Entry,
  encode,
  errorCodes,
  type Fault,
  type Frame,
  type JsonObject,
  mayRetry,
  type Pending,
  type Timer,
} from '@haip/protocol';
import type { ServerContext } from './context.ts';
import { deadline } from './deadline.ts';
import { RateLimited } from './rate-limited.ts';
import type { Settlement } from './settlement.ts';

/** What varies between envelopes that are no entries. */
export interface Notice {
  readonly type: string;
  readonly payload: JsonObject;
  readonly transaction?: string | null;
  readonly relatedId?: string | undefined;
  /** Default `"0"`: no entry. */
  readonly seq?: string;
  readonly fromSeq?: string;
  /** Default: now. */
  readonly ts?: number;
}

/** The text of an ERROR's payload: fixed words for the code, and what was expected. */
function errorPayload(fault: Fault): JsonObject {
  return {
    code: fault.code,
    message: errorCodes[fault.code].meaning,
    retry: mayRetry(fault),
    ...(fault instanceof RateLimited && fault.retryAfterMs !== undefined ? { retry_after_ms: fault.retryAfterMs } : {}),
    ...(fault.expected === undefined ? {} : { expected: fault.expected }),
    ...(fault.got === undefined ? {} : { got: fault.got }),
  };
}

export class Outbound {
  readonly #context: ServerContext;
  readonly #connection: Connection;
  readonly #settlement: Settlement;
  readonly #stuck: () => void;
  /** Runs while the link takes nothing. */
  #patience: Timer | undefined;
  /** Bytes of notices said since then. */
  #piledBytes = 0;
  session: string;
  /** False towards a plain v1 peer, which knows no `ack`. */
  acknowledges = true;

  /** @param stuck called when the link has taken nothing for too long, or too much was said meanwhile. */
  constructor(context: ServerContext, connection: Connection, settlement: Settlement, stuck: () => void) {
    this.#context = context;
    this.#connection = connection;
    this.#settlement = settlement;
    this.#stuck = stuck;
    this.session = context.ids();
  }

  /** Sends a frame as it is. The promise, if any, is the link asking for patience. */
  send(frame: Frame): Pending {
    const pending = this.#connection.send(frame);
    if (pending) this.#await(pending);
    return pending;
  }

  /** Makes a notice's frame, with the newest `ack` on it. */
  frame(notice: Notice): Frame {
    const ack = this.acknowledges ? this.#settlement.news() : undefined;
    const text = encode({
      id: this.#context.ids(),
      transaction: notice.transaction ?? null,
      session: this.session,
      seq: notice.seq ?? '0',
      ts: String(notice.ts ?? this.#context.clock.now()),
      channel: channels.system,
      type: notice.type,
      payload: notice.payload,
      from_seq: notice.fromSeq,
      ack: ack === undefined ? undefined : String(ack),
      related_id: notice.relatedId,
    });
    return { text, bytes: undefined, shared: false, memo: undefined };
  }

  /** The receipt of a message of this connection: an INFO in the place of its entry. */
  receipt(transaction: string, { id, position, ts }: Entry): Frame {
    const ack = this.#settlement.news();
    const acknowledged = ack === undefined ? '' : `,"ack":"${ack}"`;
    // Written by hand, as there is one for each message.
    const text = `{"id":"${this.#context.ids()}","transaction":"${transaction}","session":"${this.session}","seq":"${position}","ts":"${ts}","channel":"SYSTEM","type":"INFO","payload":{"kind":"receipt"}${acknowledged},"related_id":"${id}"}`;
    return { text, bytes: undefined, shared: false, memo: undefined };
  }

  /** Says something at once: control traffic never waits. A link that takes none of it is given up before it piles up. */
  say(notice: Notice): void {
    const frame = this.frame(notice);
    const pending = this.#connection.send(frame);
    if (pending === undefined) return;
    this.#await(pending);
    this.#piledBytes += frame.text.length;
    if (this.#piledBytes > this.#context.limits.maxPiledBytes) this.#stuck();
  }

  /** The connection has ended. */
  end(): void {
    this.#patience?.cancel();
  }

  /** Whether the link asked for patience and has not drained since. */
  get waits(): boolean {
    return this.#patience !== undefined;
  }

  /** The link asked for patience: it gets some. */
  #await(pending: Promise<void>): void {
    if (this.#patience !== undefined) return;
    this.#waitOn();
    pending.then(() => this.#drained());
  }

  /** As long as the link takes anything at all, it gets more. */
  #waitOn(): void {
    const before = this.#connection.written ?? 0;
    this.#patience = deadline(this.#context.clock, this.#context.limits.drainTimeoutMs, () => {
      const taken = (this.#connection.written ?? 0) - before;
      if (taken === 0) return this.#stuck();
      this.#piledBytes = Math.max(this.#piledBytes - taken, 0);
      this.#waitOn();
    });
  }

  #drained(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#piledBytes = 0;
  }

  /** Refuses a message. Its number must be settled after this call: an `ack` covers only errors said before it. */
  refuse(fault: Fault, relatedId = fault.relatedId, transaction = fault.transaction): void {
    this.say({ type: 'ERROR', transaction, relatedId, payload: errorPayload(fault) });
  }

  /** Tells what is settled, if that is news and nothing else has carried it. */
  acknowledge(): void {
    if (this.acknowledges && this.#settlement.hasNews) this.say({ type: 'INFO', payload: { kind: 'ack' } });
  }
}

// The server's end of a link over HTTP: an answer that goes on, one write for all that was sent in a turn, and what
// POSTs bring. Learns the verdict on what opened it by what the connection does first. Never judges an envelope.
// Spec: §2, §7.

import type { CloseCode, Connection, ConnectionEnd, ConnectionSupports, Frame, Incoming } from '@haip/protocol';
import { onOneLine, writeEnd } from './close-line.ts';
import type { Downstream, Exchange, ExchangeListener, Headers } from './exchange.ts';
import { Inbox } from './inbox.ts';
import { statusOf } from './statuses.ts';

/** How one kind of stream is written. */
export interface Framing {
  readonly contentType: string;
  /** The secret address, at the head of the stream; without it the address goes in a header. */
  open?(address: string): string;
  /** An envelope, which is one line. */
  frame(text: string): string;
  /** The end, as JSON. */
  close(json: string): string;
  /** What keeps the stream alive and says nothing. */
  readonly alive: string;
  /** What a client answers with a POST that is empty. */
  readonly probe: string;
}

export interface ServerLinkOptions {
  readonly supports: ConnectionSupports;
  readonly framing: Framing;
  readonly readAheadBytes: number;
  readonly closeTimeoutMs: number;
  /** For every answer of this link. */
  readonly headers: Headers;
}

const flushAtChars = 65_536;
const cut: ConnectionEnd = { code: 1006, reason: 'cut' };

export class ServerLink implements Connection, ExchangeListener {
  readonly supports: ConnectionSupports;
  readonly closed: Promise<ConnectionEnd>;
  /** 200 when the first thing that left was no close; else the status that says the same as its code. */
  readonly verdict: Promise<number>;
  readonly inbox: Inbox;
  /** POSTs that came. */
  heard = 0;
  /** The address is told in a header, once the verdict is there. */
  address: string | undefined;
  readonly #exchange: Exchange;
  readonly #options: ServerLinkOptions;
  #stream: Downstream | undefined;
  /** Not yet written. */
  #text = '';
  #isFull = false;
  #wasQuiet = false;
  #end: ConnectionEnd | undefined;
  #drained: Promise<void> | undefined;
  #tellDrained: (() => void) | undefined;
  #tellVerdict: ((status: number) => void) | undefined;
  #tellClosed!: (end: ConnectionEnd) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(exchange: Exchange, options: ServerLinkOptions) {
    this.supports = options.supports;
    this.#exchange = exchange;
    this.#options = options;
    this.inbox = new Inbox(options.readAheadBytes);
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    this.verdict = new Promise((resolve) => {
      this.#tellVerdict = resolve;
    });
    exchange.attend(this);
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Begins the stream before the verdict. */
  begin(text: string): void {
    this.#stream = this.#exchange.stream(200, this.#headers());
    this.#stream.write(text);
  }

  get written(): number {
    return this.#stream?.written ?? 0;
  }

  get unsent(): number {
    return this.#text.length + (this.#stream?.unsent ?? 0);
  }

  [Symbol.asyncIterator](): AsyncIterator<Incoming[]> {
    return this.inbox;
  }

  send(frame: Frame): void | Promise<void> {
    if (this.#end) return undefined;
    this.#write(this.#options.framing.frame(onOneLine(frame.text)));
    return this.#isFull ? this.#whenDrained() : undefined;
  }

  probe(): void {
    if (!this.#end) this.#write(this.#options.framing.probe);
  }

  close(code: CloseCode, reason = '', retryAfterMs?: number): void {
    if (this.#end) return;
    this.#end = { code, reason, retryAfterMs };
    if (code === 1006) return this.#exchange.cut();
    this.#text += this.#options.framing.close(writeEnd(this.#end));
    this.#flush();
    this.#stream?.end();
    this.#timer = setTimeout(() => this.#exchange.cut(), this.#options.closeTimeoutMs);
  }

  /** The peer said that this is the end. */
  leave(end: ConnectionEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#flush();
    if (this.#stream) this.#stream.end();
    else this.#exchange.cut();
    this.gone();
  }

  /** Says something when nothing was said since the last beat. Before the verdict there is nobody to say it to. */
  beat(): void {
    if (this.#wasQuiet) this.answerProbe();
    this.#wasQuiet = true;
  }

  /** Something that is no message, so that the peer hears from us. What waits already will do. */
  answerProbe(): void {
    if (!this.#end && this.#stream && !this.#isFull) this.#write(this.#options.framing.alive);
  }

  drained(): void {
    this.#isFull = false;
    this.#tellDrained?.();
    this.#tellDrained = undefined;
    this.#drained = undefined;
  }

  gone(): void {
    clearTimeout(this.#timer);
    this.#end ??= cut;
    this.#text = '';
    this.inbox.end();
    this.drained();
    this.#tellVerdict?.(404);
    this.#tellClosed(this.#end);
  }

  #write(text: string): void {
    if (this.#text === '') this.#exchange.soon(this.#flush);
    this.#text += text;
    if (this.#stream && this.#text.length >= flushAtChars) this.#flush();
  }

  /** Writes what is queued. What ends with the close in the same turn as it began is a refusal. */
  readonly #flush = (): void => {
    const text = this.#text;
    if (text === '') return;
    const status = this.#end ? statusOf(this.#end.code) : 200;
    this.#stream ??= this.#exchange.stream(status, this.#headers(status));
    this.#tellVerdict?.(status);
    this.#tellVerdict = undefined;
    this.#text = '';
    this.#wasQuiet = false;
    this.#isFull = !this.#stream.write(text);
  };

  #headers(status = 200): Headers {
    const headers: Record<string, string> = {
      ...this.#options.headers,
      'content-type': this.#options.framing.contentType,
      'x-accel-buffering': 'no',
    };
    if (status === 200 && this.address) headers['haip-upstream'] = this.address;
    if (status === 401) headers['www-authenticate'] = 'HAIP';
    const { retryAfterMs } = this.#end ?? {};
    if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000));
    return headers;
  }

  #whenDrained(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#tellDrained = resolve;
    });
    return this.#drained;
  }
}

// The client's end of a link over HTTP: a stream that is read, and POSTs upstream. The same code in browsers and Node,
// on `fetch`. Never judges an envelope. Part of what a browser loads: it stays small. Spec: §7.

import {
  type CloseCode,
  type Connection,
  type ConnectionEnd,
  type ConnectionSupports,
  type DialOptions,
  decodeFromServer,
  Fault,
  type Frame,
  type Incoming,
} from '@haip/protocol';
import { ClientPosts, type PostsOwner } from './client-posts.ts';
import { onOneLine, readEnd, writeEnd } from './close-line.ts';
import { codeOf } from './statuses.ts';

/** Where a link goes and what its requests carry. */
export interface LinkOptions {
  /** `http:` or `https:`. */
  readonly url: string | URL;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether cookies go to other origins. Default: the platform's, `same-origin`. */
  readonly credentials?: RequestInit['credentials'];
  /** What makes the requests. Default: the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** How a kind of stream is read. */
export interface StreamFormat {
  readonly contentType: string;
  /** Gives a function that takes text in pieces; `take` gets a word about the link (none: an envelope) and its JSON. */
  read(take: (word: string, json: string) => void, longest: number): (piece: string) => void;
}

const readAheadBytes = 262_144;
const closeTimeoutMs = 3000;
const postTimeoutMs = 20_000;
const waitForCloseMs = 1000;

/** The links of this page that brought something. */
const alive = new Set<ClientLink>();

export class ClientLink implements Connection, PostsOwner {
  readonly supports: ConnectionSupports = { binary: false, pause: true };
  readonly closed: Promise<ConnectionEnd>;
  heard = 0;
  readonly #options: LinkOptions;
  readonly #format: StreamFormat;
  readonly #longest: number;
  readonly #opened: () => void;
  readonly #logger: DialOptions['logger'];
  readonly #posts: ClientPosts = new ClientPosts(this);
  readonly #abort = new AbortController();
  /** Ends the POST that is out. */
  #posting: AbortController | undefined;
  /** What came and was not taken yet. */
  #batch: Incoming[] = [];
  #batchBytes = 0;
  /** Wakes whoever waits for a batch, for room or for the end. */
  #wake = () => {};
  #makeRoom = () => {};
  #upstream: URL | undefined;
  /** Asks for the stream with the first lines. */
  #first: ((lines: string) => void) | undefined;
  #end: ConnectionEnd | undefined;
  #tellClosed: ((end: ConnectionEnd) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `opened` is called when the server gave an address. With `opensByPost` the first lines ask for the stream. */
  constructor(
    options: LinkOptions,
    format: StreamFormat,
    { limits, logger }: DialOptions,
    { opened = () => {}, opensByPost = false }: { opened?: () => void; opensByPost?: boolean },
  ) {
    this.#options = options;
    this.#format = format;
    // Bytes that somebody sent over another transport come as base64.
    this.#longest = limits ? limits.maxTextBytes + limits.maxBinaryBytes * 1.4 : Number.POSITIVE_INFINITY;
    this.#opened = opened;
    this.#logger = logger;
    if (opensByPost) this.#first = (body) => void this.open({ method: 'POST', body });
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  /** Asks for the stream, and reads it to its end. Never rejects. */
  async open(init: RequestInit): Promise<void> {
    // Without the query: applications put tokens there.
    let reason = `no stream at ${String(this.#options.url).split('?', 1)}: `;
    try {
      const response = await this.#fetch(this.#options.url, init);
      const { headers, status, body } = response;
      if (body && headers.get('content-type')?.startsWith(this.#format.contentType)) {
        const address = headers.get('haip-upstream');
        if (address) this.#reach(address, response);
        await this.#read(body, response);
        reason = 'the stream was cut';
      } else {
        const retryAfterMs = Number(headers.get('retry-after')) * 1000 || undefined;
        this.#finish({ code: codeOf(status), reason: reason + status, retryAfterMs });
      }
    } catch (error) {
      // Node says `fetch failed` of whatever it was.
      const { message, cause } = error as Error & { readonly cause?: { readonly code?: string } };
      reason += cause?.code ?? message;
    }
    this.#finish({ code: 1006, reason });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Incoming[], void, undefined> {
    while (this.#batch.length > 0 || this.#tellClosed) {
      const batch = this.#batch;
      if (batch.length === 0) {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      } else {
        this.#batch = [];
        this.#batchBytes = 0;
        this.#makeRoom();
        yield batch;
      }
    }
  }

  send({ text }: Frame): void | Promise<void> {
    if (this.#end) return undefined;
    const pending = this.#posts.add(onOneLine(text));
    const first = this.#first;
    this.#first = undefined;
    // What is sent in one turn goes together.
    if (first) queueMicrotask(() => first(this.#posts.takeFirst()));
    return pending;
  }

  probe(): void {
    this.#posts.probe();
  }

  close(code: CloseCode, reason = ''): void {
    if (this.#end) return;
    if (alive.size > 0 && !alive.has(this)) this.#warn();
    this.#end = { code, reason };
    if (code === 1006 || !this.#upstream) return this.#finish();
    void this.#posts.add(`{"close":${writeEnd(this.#end)}}`);
    this.#timer = setTimeout(() => this.#finish(), closeTimeoutMs);
  }

  async post(body: string): Promise<Response> {
    const posting = new AbortController();
    this.#posting = posting;
    const timer = setTimeout(() => {
      posting.abort();
      this.#warn();
    }, postTimeoutMs);
    try {
      return await this.#fetch(this.#upstream as URL, { method: 'POST', body, signal: posting.signal });
    } finally {
      clearTimeout(timer);
    }
  }

  /** The stream may say more of why: it is given a moment. */
  refused(status: number): void {
    clearTimeout(this.#timer);
    const end = { code: codeOf(status), reason: `upstream answered ${status}` };
    this.#timer = setTimeout(() => this.#finish(end), waitForCloseMs);
  }

  /** A request had no answer in its time: in a browser it may never have left. */
  #warn(): void {
    const advice = 'one client a page, HTTP/2 or WebSocket: over HTTP/1.1 all tabs share six connections to an origin';
    if ('document' in globalThis) this.#logger?.('warn', 'no answer', { streams: alive.size, advice });
  }

  #fetch(url: string | URL, init: RequestInit): Promise<Response> {
    const { fetch: send = fetch, headers, credentials } = this.#options;
    const { signal } = this.#abort;
    const typed = init.body === undefined ? headers : { ...headers, 'content-type': 'application/x-ndjson' };
    const whole: RequestInit = { signal, ...init, headers: typed ?? {}, redirect: 'error' };
    if (credentials) whole.credentials = credentials;
    return send(url, whole);
  }

  #reach(address: string, { url }: Response): void {
    this.#upstream = new URL(address, url || this.#options.url);
    this.#posts.isOpen = true;
    this.#opened();
    void this.#posts.go();
  }

  async #read(body: ReadableStream<Uint8Array<ArrayBuffer>>, response: Response): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const feed = this.#format.read((word, json) => this.#take(word, json, response), this.#longest);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.heard++;
      feed(decoder.decode(value, { stream: true }));
      while (this.#batchBytes >= readAheadBytes && this.#tellClosed) {
        await new Promise<void>((go) => {
          this.#makeRoom = go;
        });
      }
    }
  }

  #take(word: string, json: string, response: Response): void {
    if (this.#end) return;
    if (word === 'open') this.#reach(JSON.parse(json).upstream, response);
    else if (word === 'close') this.#finish(readEnd(json));
    else if (word === 'probe') this.#posts.probe();
    else if (!word) {
      alive.add(this);
      const envelope = decodeFromServer(json);
      const size = new TextEncoder().encode(json).length;
      this.#batch.push(envelope instanceof Fault ? envelope : { envelope, size });
      this.#batchBytes += size;
      this.#wake();
    }
  }

  #finish(end?: ConnectionEnd): void {
    clearTimeout(this.#timer);
    alive.delete(this);
    this.#end ??= end as ConnectionEnd;
    this.#posts.stop();
    this.#tellClosed?.(this.#end);
    this.#tellClosed = undefined;
    this.#abort.abort();
    this.#posting?.abort();
    this.#wake();
    this.#makeRoom();
  }
}

// One address that links come in at: opens streams, gives POSTs to the link they are for, or to the node that has it,
// answers all else. Knows neither Node nor the Web's Request; never reads an envelope. Spec: §7.

import {
  type Accept,
  type Backplane,
  type CodecLimits,
  type ConnectionSupports,
  defaultCodecLimits,
  Fault,
  longestText,
  type PeerInfo,
} from '@haip/protocol';
import type { Exchange, Headers } from './exchange.ts';
import { contentTypeOf, type GateOptions, judgeRequest, preflight, refuseUnlessLists } from './gate.ts';
import { Handover, notFound } from './handover.ts';
import { longestHeadBytes, type PostWord } from './handover-words.ts';
import { type JoinedLink, Links } from './links.ts';
import { readLine, splitLines } from './posted-lines.ts';
import { type PostAnswer, Posts } from './posts.ts';
import { type Framing, ServerLink } from './server-link.ts';

export interface EndpointOptions extends GateOptions {
  /**
   * Carries POSTs to the node that holds their stream, where several nodes serve one address: the history store that they
   * share. Left out, all requests of a stream must reach the process that holds it. What is no POST stays where it came.
   */
  readonly backplane?: Backplane | undefined;
  /** Caps for what is read. Default: the codec's. */
  readonly limits?: CodecLimits | undefined;
  /** Most bytes of one POST. Default 1,048,576, or the longest message if that is more: 1,660,248 with default limits. */
  readonly maxPostBytes?: number | undefined;
  /** How long the body of a POST may take, in ms. Default 15,000. */
  readonly postTimeoutMs?: number | undefined;
  /** A stream says something at least so often, in ms. Default 15,000. */
  readonly keepAliveMs?: number | undefined;
  /** POSTs wait for their answer while at least so many bytes wait for the consumer. Default 65,536. */
  readonly readAheadBytes?: number | undefined;
  /** How long a close waits for what was sent before, in ms. Default 3,000. */
  readonly closeTimeoutMs?: number | undefined;
}

/** What differs between transports. */
export interface LinkKind {
  /** As the authenticator is told. */
  readonly transport: string;
  /** `GET`: the stream begins at once. `POST`: its body is what is judged, and there is no answer before the verdict. */
  readonly opensBy: 'GET' | 'POST';
  readonly framing: Framing;
}

/** When to come again, where nobody says more. */
const soonMs = 1000;

/** What every backplane carries at once. */
const backplaneBytes = 2 * 2 ** 20;

type TakenOver = PostWord & { readonly body: Uint8Array };

const fixed: Headers = {
  'cache-control': 'no-store, no-transform',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export class Endpoint {
  readonly #kind: LinkKind;
  readonly #accept: Accept;
  readonly #options: EndpointOptions;
  readonly #path: string;
  readonly #supports: ConnectionSupports & { readonly limits: CodecLimits };
  readonly #maxPostBytes: number;
  readonly #postTimeoutMs: number;
  readonly #links: Links;
  readonly #handover: Handover | undefined;
  #isClosed = false;

  /** @throws RangeError for a `maxPostBytes` that no backplane carries, TypeError for origins or hosts that are no list, or no {@link Accept}. */
  constructor(path: string, kind: LinkKind, accept: Accept, options: EndpointOptions) {
    if (typeof accept !== 'function') throw new TypeError('accept: expected a function, as server.accept is one');
    refuseUnlessLists(options);
    this.#path = path;
    this.#kind = kind;
    this.#accept = accept;
    this.#options = options;
    const limits = options.limits ?? defaultCodecLimits;
    this.#supports = { binary: false, pause: true, limits };
    this.#maxPostBytes = options.maxPostBytes ?? Math.max(1_048_576, longestText(limits));
    this.#postTimeoutMs = options.postTimeoutMs ?? 15_000;
    this.#handover = options.backplane && this.#beginHandover(options.backplane);
    this.#links = new Links(options.keepAliveMs ?? 15_000, this.#handover?.name);
  }

  #beginHandover(backplane: Backplane): Handover {
    const most = backplaneBytes - longestHeadBytes;
    if (this.#maxPostBytes > most) {
      throw new RangeError(`maxPostBytes: expected at most ${most} with a backplane, got ${this.#maxPostBytes}`);
    }
    const options = { transport: this.#kind.transport, answerTimeoutMs: this.#postTimeoutMs };
    return new Handover(backplane, options, (word) => this.#takeOver(word));
  }

  /** Links that are open. */
  get size(): number {
    return this.#links.size;
  }

  /** Opens no more streams. Those that are open stay, and their POSTs are taken. */
  close(): void {
    this.#isClosed = true;
  }

  /** Answers a request for the path or what lies below it. Never rejects. */
  async take(exchange: Exchange): Promise<void> {
    const passage = judgeRequest(exchange, this.#options);
    if ('status' in passage) return refuse(exchange, passage.status, passage.expected);
    const headers = { ...fixed, ...passage.headers };
    const address = exchange.path === this.#path ? undefined : exchange.path.slice(this.#path.length + 1);
    const { method } = exchange;
    const expected = address === undefined ? this.#kind.opensBy : 'POST';
    if (method === 'OPTIONS') return exchange.answer(204, { ...headers, ...preflight });
    if (method !== expected) return refuse(exchange, 405, expected, { ...headers, allow: `${expected}, OPTIONS` });
    const retryAfterMs = address === undefined ? this.#unavailableForMs() : undefined;
    if (retryAfterMs !== undefined) {
      const seconds = String(Math.ceil(retryAfterMs / 1000));
      return refuse(exchange, 503, 'another server', { ...headers, 'retry-after': seconds });
    }
    if (method === 'GET') return this.#open(exchange, headers);
    const type = contentTypeOf(exchange);
    if (!type) return refuse(exchange, 415, 'application/x-ndjson or application/json, not encoded', headers);
    const isOneEnvelope = type === 'application/json';
    if (address === undefined) await this.#openByPost(exchange, headers, isOneEnvelope);
    else await this.#post(exchange, headers, address, isOneEnvelope);
  }

  /** For how long whoever wants a new stream is to stay away; undefined: it may be opened. */
  #unavailableForMs(): number | undefined {
    if (this.#isClosed) return soonMs;
    const unavailable = this.#accept.unavailable?.();
    return unavailable && (unavailable.retryAfterMs ?? soonMs);
  }

  #open(exchange: Exchange, headers: Headers): void {
    const { link, address } = this.#join(exchange, headers);
    link.begin(this.#kind.framing.open?.(address) ?? '');
    void this.#accept(link, this.#peer(exchange));
  }

  async #openByPost(exchange: Exchange, headers: Headers, isOneEnvelope: boolean): Promise<void> {
    const body = await this.#body(exchange, headers);
    if (body === undefined) return;
    const lines = linesOf(body, isOneEnvelope);
    const [first] = lines;
    const read = first && readLine(first, this.#supports.limits);
    if (!read || 'end' in read || read instanceof Fault) {
      const expected = read instanceof Fault ? read.expected : undefined;
      const isTooLarge = read instanceof Fault && read.close === 1009;
      return refuse(exchange, isTooLarge ? 413 : 400, expected ?? 'a HAI', headers);
    }
    const { link, posts, address } = this.#join(exchange, headers);
    link.address = address;
    void this.#accept(link, this.#peer(exchange));
    // What is answered is the stream.
    await posts.take(lines);
  }

  async #post(exchange: Exchange, headers: Headers, address: string, isOneEnvelope: boolean): Promise<void> {
    const toOwner = this.#handover?.wayTo(address);
    if (toOwner === undefined) return this.#postHere(exchange, headers, address, isOneEnvelope);
    const body = await this.#body(exchange, headers);
    if (body !== undefined) answerPost(exchange, await toOwner(body, isOneEnvelope), headers);
  }

  async #postHere(exchange: Exchange, headers: Headers, address: string, isOneEnvelope: boolean): Promise<void> {
    const found = this.#links.find(address);
    if (typeof found === 'number') return answerPost(exchange, refusalOf(found), headers);
    found.link.heard++;
    const body = await this.#body(exchange, headers);
    if (body !== undefined) answerPost(exchange, await takePost(found, linesOf(body, isOneEnvelope)), headers);
  }

  /** A POST that reached another node. */
  #takeOver({ transport, address, isOneEnvelope, body }: TakenOver): PostAnswer | Promise<PostAnswer> {
    const found = transport === this.#kind.transport ? this.#links.find(address) : 404;
    if (typeof found === 'number') return refusalOf(found);
    found.link.heard++;
    return takePost(found, linesOf(body, isOneEnvelope));
  }

  #join(exchange: Exchange, headers: Headers): { link: ServerLink; posts: Posts; address: string } {
    const { readAheadBytes = 65_536, closeTimeoutMs = 3000 } = this.#options;
    const { framing } = this.#kind;
    const link = new ServerLink(exchange, {
      supports: this.#supports,
      framing,
      readAheadBytes,
      closeTimeoutMs,
      headers,
    });
    const posts = new Posts(link, this.#supports.limits);
    const secret = this.#links.add({ link, posts });
    // Relative to the stream's own address, so that it holds behind a proxy that adds a prefix.
    const address = `${this.#path.slice(this.#path.lastIndexOf('/') + 1)}/${secret}`;
    return { link, posts, address };
  }

  #peer({ headers, remoteAddress }: Exchange): PeerInfo {
    return { transport: this.#kind.transport, headers, remoteAddress };
  }

  /** The body; undefined when it was refused. */
  async #body(exchange: Exchange, headers: Headers): Promise<Uint8Array | undefined> {
    const body = await exchange.body(this.#maxPostBytes, this.#postTimeoutMs);
    if (typeof body !== 'number') return body;
    const expected = `at most ${this.#maxPostBytes} bytes within ${this.#postTimeoutMs} ms`;
    refuse(exchange, body, expected, headers);
    return undefined;
  }
}

function linesOf(body: Uint8Array, isOneEnvelope: boolean): Uint8Array[] {
  return isOneEnvelope && body.length > 0 ? [body] : splitLines(body);
}

/** An empty POST is a sign of life, and is answered by one. */
function takePost({ link, posts }: JoinedLink, lines: readonly Uint8Array[]): PostAnswer | Promise<PostAnswer> {
  if (lines.length > 0) return posts.take(lines);
  link.answerProbe();
  return { status: 202, taken: 0 };
}

/** The same for an address of this node's and of another's. */
function refusalOf(status: number): PostAnswer {
  return { ...notFound, status };
}

function answerPost(exchange: Exchange, { status, ...answer }: PostAnswer, headers: Headers): void {
  answerJson(exchange, status, answer, headers);
}

function refuse(exchange: Exchange, status: number, expected: string, headers: Headers = fixed): void {
  answerJson(exchange, status, { expected }, headers);
}

function answerJson(exchange: Exchange, status: number, answer: object, headers: Headers): void {
  const all: Record<string, string> = { ...headers, 'content-type': 'application/json' };
  if (status === 429 || status === 503) all['retry-after'] ??= '1';
  if (status === 401) all['www-authenticate'] = 'HAIP';
  exchange.answer(status, all, JSON.stringify(answer));
}

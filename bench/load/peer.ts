// A client of any server: says HAI, starts or joins a transaction, writes texts under fresh ids and rising numbers. It
// offers flow control as our own client does, and where the server takes it grants what was read.

import { HttpLink } from './http-link.ts';
import type { Link, Route } from './link.ts';
import { WebSocketLink } from './ws-link.ts';

/** 64 bytes, as the table says. */
const TEXT = 'The quick brown fox jumps over the lazy dog, and on it goes: 64.';

let ids = 0;
let users = 0;
const pad = '00000000-0000-4000-8000-';

/** What our client allows in each transaction and channel. */
const WINDOW = { messages: 1024, bytes: 1024 * 1024 };
const SEQ = Buffer.from('"seq":"');
const CHANNEL = Buffer.from('"channel":"');
const BEFORE_TYPE = '","type":"'.length;
const ZERO = 0x30;
const LETTER_I = 0x49;

export class Peer {
  readonly link: Link;
  /** Called for each arriving envelope's text, as of {@link Link}. */
  onFrame: Link['onFrame'] = () => {};
  /** What was read and not granted again yet, by channel. */
  readonly #owed = new Map<string, { messages: number; bytes: number }>();
  #seq = 0;
  #session = 'none';
  readonly #user: string;
  transaction = '';

  /** @param user a new one each, as turns at once are limited by user */
  constructor(route: Route, user = `user-${++users}`) {
    this.#user = user;
    this.link = route.transport === 'websocket' ? new WebSocketLink(route.port) : new HttpLink(route);
    this.link.onFrame = (...frame) => this.onFrame(...frame);
  }

  /** One envelope's text. All ids have a UUID's length. */
  envelope(type: string, payload: string, transaction: string | null, thread = ''): string {
    const id = pad + String(++ids).padStart(12, '0');
    const tx = transaction === null ? 'null' : `"${transaction}"`;
    const label = thread === '' ? '' : `,"thread_id":"${thread}"`;
    return `{"id":"${id}","transaction":${tx},"session":"${this.#session}","seq":"${++this.#seq}","ts":"1755187354681","channel":"USER","type":"${type}","payload":${payload}${label}}`;
  }

  message(thread = '', text = TEXT): string {
    return this.envelope('MESSAGE', `"${text}"`, this.transaction, thread);
  }

  /** A message whose text begins with a number of ten digits, as long as the others. */
  numbered(number: number): string {
    return this.message('', String(number).padStart(10, '0') + TEXT.slice(10));
  }

  /** The next frame that contains `word`, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: a load generator reads a field or two
  expect(word: string): Promise<any> {
    return new Promise((resolve) => {
      this.onFrame = (chunk, from, to) => {
        const text = chunk.toString('utf8', from, to);
        if (text.includes(word)) resolve(JSON.parse(text));
      };
    });
  }

  async hai(): Promise<void> {
    const reply = this.expect('"type":"HAI"');
    const flow = `{"initial_credit_messages":${WINDOW.messages},"initial_credit_bytes":${WINDOW.bytes}}`;
    const capabilities = `{"binary_frames":true,"transaction_log":true,"flow_control":${flow}}`;
    const payload = `{"haip_version":"1.1.2","accept_major":[1],"capabilities":${capabilities},"auth":{"token":"Bearer TOKEN","user":"${this.#user}"}}`;
    this.link.open(this.envelope('HAI', payload, null));
    const { session, payload: answer } = await reply;
    this.#session = session;
    if (!answer.capabilities?.flow_control) return;
    this.link.onFrame = (...frame) => {
      this.#consume(...frame);
      this.onFrame(...frame);
    };
  }

  /** Counts an entry that was read; once that is half a window, the server is granted it. Frames are not parsed here. */
  #consume(chunk: Buffer, from: number, to: number): void {
    const seq = chunk.indexOf(SEQ, from) + SEQ.length;
    if (chunk[seq] === ZERO) return;
    const at = chunk.indexOf(CHANNEL, seq) + CHANNEL.length;
    const end = chunk.indexOf('"', at);
    // Of all types INFO alone begins so: a receipt is no entry.
    if (chunk[end + BEFORE_TYPE] === LETTER_I) return;
    const channel = chunk.toString('latin1', at, end);
    const owed = this.#owed.get(channel) ?? { messages: 0, bytes: 0 };
    owed.messages++;
    owed.bytes += to - from;
    this.#owed.set(channel, owed);
    if (owed.messages * 2 < WINDOW.messages && owed.bytes * 2 < WINDOW.bytes) return;
    this.#owed.delete(channel);
    const grant = `{"channel":"${channel}","add_messages":${owed.messages},"add_bytes":${owed.bytes}}`;
    this.link.write([this.envelope('FLOW_UPDATE', grant, this.transaction)]);
  }

  async start(tool: string): Promise<void> {
    const reply = this.expect('"referenceId"');
    const reference = `ref-${ids}`;
    this.link.write([this.envelope('TRANSACTION_START', `{"toolName":"${tool}","params":{}}`, reference)]);
    this.transaction = (await reply).transaction;
  }

  async join(transaction: string): Promise<void> {
    const reply = this.expect('"verdict"');
    this.link.write([this.envelope('TRANSACTION_JOIN', '{}', transaction)]);
    await reply;
    this.transaction = transaction;
  }
}

/** Opens `count` peers that have said HAI, a few at a time. */
export async function openPeers(route: Route, count: number, user?: string): Promise<Peer[]> {
  const peers: Peer[] = [];
  while (peers.length < count) {
    const some = Array.from({ length: Math.min(50, count - peers.length) }, () => new Peer(route, user));
    await Promise.all(some.map((peer) => peer.hai()));
    peers.push(...some);
  }
  return peers;
}

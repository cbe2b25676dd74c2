// A client of any server: says HAI, starts or joins a transaction, writes texts under fresh ids and rising numbers.

import { HttpLink } from './http-link.ts';
import type { Link, Route } from './link.ts';
import { WebSocketLink } from './ws-link.ts';

/** 64 bytes, as the table says. */
const TEXT = 'The quick brown fox jumps over the lazy dog, and on it goes: 64.';

let ids = 0;
let users = 0;
const pad = '00000000-0000-4000-8000-';

export class Peer {
  readonly link: Link;
  #seq = 0;
  #session = 'none';
  readonly #user: string;
  transaction = '';

  /** @param user a new one each, as turns at once are limited by user */
  constructor(route: Route, user = `user-${++users}`) {
    this.#user = user;
    this.link = route.transport === 'websocket' ? new WebSocketLink(route.port) : new HttpLink(route);
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
      this.link.onFrame = (chunk, from, to) => {
        const text = chunk.toString('utf8', from, to);
        if (text.includes(word)) resolve(JSON.parse(text));
      };
    });
  }

  async hai(): Promise<void> {
    const reply = this.expect('"type":"HAI"');
    const capabilities = '{"binary_frames":true,"transaction_log":true}';
    const payload = `{"haip_version":"1.1.2","accept_major":[1],"capabilities":${capabilities},"auth":{"token":"Bearer TOKEN","user":"${this.#user}"}}`;
    this.link.open(this.envelope('HAI', payload, null));
    this.#session = (await reply).session;
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

// A server over the reference store, with raw peers on memory links and a clock that the test holds.

import { type MemoryHistoryOptions, memoryHistory } from '@haip/history-memory';
import {
  type Authenticator,
  bodyDigest,
  type Envelope,
  type HAIPUser,
  type HistoryStore,
  type JsonObject,
  type JsonValue,
  type LogLevel,
  type Signer,
  type Tool,
} from '@haip/protocol';
import {
  type FakeClock,
  fakeClock,
  type MemoryLink,
  type MemoryLinkOptions,
  memoryLink,
  type RawEnvelope,
  type RawPeer,
  rawPeer,
  settle,
} from '@haip/testing';
import { expect, onTestFinished } from 'vitest';
import { HAIPServer, type HAIPServerOptions } from '../src/index.ts';

interface LogLine {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestServer {
  readonly server: HAIPServer;
  readonly clock: FakeClock;
  readonly history: HistoryStore;
  readonly logged: LogLine[];
  /** A link whose server end is being served. */
  connectRaw(link?: MemoryLinkOptions): MemoryLink;
  /** A raw peer on a link of its own. */
  connect(link?: MemoryLinkOptions): LinkedPeer;
  /** A raw peer that said HAI as this user. */
  enter(user?: string, hai?: Record<string, unknown>, link?: MemoryLinkOptions): Promise<LinkedPeer>;
}

export type LinkedPeer = RawPeer & { readonly link: MemoryLink };

export interface TestServerOptions {
  readonly history?: HistoryStore | MemoryHistoryOptions;
  readonly limits?: HAIPServerOptions['limits'];
  readonly credits?: HAIPServerOptions['credits'];
  readonly addressOf?: HAIPServerOptions['addressOf'];
  /** Where all connections come from. Left out, nobody knows. */
  readonly remoteAddress?: string;
  readonly authenticate?: Authenticator;
  // biome-ignore lint/suspicious/noExplicitAny: each tool has an input type of its own
  readonly tools?: readonly Tool<any>[];
  readonly clock?: FakeClock;
  readonly signer?: Signer;
  /** Default: fills `logged`. */
  readonly logger?: HAIPServerOptions['logger'];
}

/** Signs at once, so that nothing in a test waits for a thread. Good for nothing else. */
export function testSigner(key = 'test'): Signer {
  const sign = (text: string): string => `mac-${bodyDigest(key, text).replace(/[^A-Za-z0-9_-]/g, '-')}`;
  return { sign, verify: (text, mac) => sign(text) === mac };
}

/** Everything allowed, to everybody who names themselves. */
export function userOf(id: string, rights: Partial<HAIPUser> = {}): HAIPUser {
  const all = ['*'];
  const permissions = {
    MESSAGE: all,
    AUDIO: all,
    MESSAGE_UPDATE: all,
    TRANSACTION_JOIN: all,
    TRANSACTION_END: all,
    RUN_CANCEL: all,
    TOOL_CALL: all,
    TOOL_UPDATE: all,
    TOOL_DONE: all,
    TOOL_CANCEL: all,
  };
  return { id, permissions, credits: 1000, ...rights };
}

export const echo: Tool<unknown> = {
  name: 'echo',
  description: 'Says what it hears.',
  onMessage: (turn, input) => turn.reply(input as string),
  onAudio: (turn, audio) => turn.replyAudio(audio),
};

function isStore(history: TestServerOptions['history']): history is HistoryStore {
  return history !== undefined && 'append' in history;
}

let servers = 0;

export function testServer(options: TestServerOptions = {}): TestServer {
  const clock = options.clock ?? fakeClock();
  const signer = options.signer ?? testSigner();
  let next = 0;
  const name = `s${++servers}`;
  const ids = (): string => `${name}-${++next}`;
  const history = isStore(options.history) ? options.history : memoryHistory({ clock, ids, ...options.history });
  const logged: LogLine[] = [];
  const server = new HAIPServer({
    history,
    clock,
    ids,
    signer,
    limits: options.limits,
    credits: options.credits,
    addressOf: options.addressOf,
    logger: options.logger ?? ((level, event, fields = {}) => logged.push({ level, event, fields })),
  });
  server.authenticate(options.authenticate ?? ((auth) => (typeof auth?.user === 'string' ? userOf(auth.user) : null)));
  server.registerTool(echo);
  for (const tool of options.tools ?? []) server.registerTool(tool);
  onTestFinished(async () => {
    const closed = server.close();
    // A tool that ignores its signal is waited for, and a store that never answers; on this clock only if somebody moves it.
    await clock.advance(30_000);
    await closed;
  });

  const test: TestServer = {
    server,
    clock,
    history,
    logged,
    connectRaw(linkOptions) {
      const link = memoryLink(linkOptions);
      void server.accept(link.server, { transport: 'memory', headers: {}, remoteAddress: options.remoteAddress });
      return link;
    },
    connect(linkOptions) {
      const link = test.connectRaw(linkOptions);
      return Object.assign(rawPeer(link.client), { link });
    },
    async enter(user = 'ada', hai = {}, link = {}) {
      const peer = test.connect(link);
      await peer.hai({ auth: { user }, ...hai });
      return peer;
    },
  };
  return test;
}

/** Sends HAI as a client with the transaction log does, and waits for nothing. */
export function sendHai(peer: RawPeer, payload: JsonObject = {}, fields: Partial<Envelope> = {}) {
  const terms = { accept_major: [1], capabilities: { binary_frames: true, transaction_log: true } };
  return peer.send({ type: 'HAI', payload: { ...terms, ...payload }, ...fields });
}

let references = 0;

/** Starts a transaction and gives its id and epoch. */
export async function start(
  peer: RawPeer,
  toolName = 'echo',
  params: JsonObject = {},
): Promise<{ id: string; epoch: string }> {
  const sent = peer.send({
    type: 'TRANSACTION_START',
    transaction: `ref-${++references}`,
    payload: { toolName, params },
  });
  const reply = await answerTo(peer, sent);
  if (reply.type !== 'TRANSACTION_START') throw new Error(`start was refused: ${JSON.stringify(reply.payload)}`);
  await see(peer, (envelope) => isReceipt(envelope) && envelope.related_id === sent.id);
  return { id: reply.transaction as string, epoch: reply.payload.epoch };
}

/** Asks to join and gives the verdict. */
export function join(peer: RawPeer, transaction: string, cursor: JsonObject = {}): Promise<RawEnvelope> {
  return answerTo(peer, peer.send({ type: 'TRANSACTION_JOIN', transaction, payload: cursor }));
}

/** More turns of the event loop than anything here takes. */
const PATIENCE = 20_000;

/** The first envelope that fits, among those that came and those that come. Takes nothing from `next`. */
export async function see(peer: RawPeer, fits: (envelope: RawEnvelope) => boolean): Promise<RawEnvelope> {
  for (let turn = 0; turn < PATIENCE; turn++) {
    const found = peer.received.find(fits);
    if (found !== undefined) return found;
    await settle(1);
  }
  throw new Error(`it never came; what came: ${JSON.stringify(peer.received.slice(-5))}`);
}

/** The first envelope that answers a message: its `related_id` names it. */
export function answerTo(peer: RawPeer, sent: Pick<Envelope, 'id'>): Promise<RawEnvelope> {
  return see(peer, ({ related_id }) => related_id === sent.id);
}

/** The code of the ERROR that answers a message. */
export function codeOf(peer: RawPeer, sent: { id: string }): Promise<string | undefined> {
  return answerTo(peer, sent).then(({ payload }) => payload.code);
}

/** Waits until everything up to a message is settled. */
export async function settled(peer: RawPeer, { seq }: Pick<Envelope, 'seq'>): Promise<void> {
  await see(peer, ({ ack }) => ack !== undefined && Number(ack) >= Number(seq));
}

/** The first entry with that payload, or of that type. */
export function seeEntry(peer: RawPeer, what: { readonly payload?: JsonValue; readonly type?: string }) {
  return see(peer, ({ seq, type, payload }) => {
    if (seq === '0' || type === 'INFO') return false;
    return what.payload === undefined ? type === what.type : payload === what.payload;
  });
}

/** Sends a text and gives its position. */
export async function say(peer: RawPeer, transaction: string, payload: JsonValue, id?: string): Promise<number> {
  const named = id === undefined ? {} : { id };
  const receipt = await answerTo(peer, peer.send({ type: 'MESSAGE', transaction, payload, ...named }));
  if (receipt.type === 'ERROR') throw new Error(`refused: ${JSON.stringify(receipt.payload)}`);
  return Number(receipt.seq);
}

export function isReceipt({ type, payload }: RawEnvelope): boolean {
  return type === 'INFO' && payload.kind === 'receipt';
}

export function isPosition({ type, payload }: RawEnvelope): boolean {
  return type === 'INFO' && payload.kind === 'position';
}

/** Entries among what a peer received, in order. */
export function entriesOf(peer: RawPeer): RawEnvelope[] {
  return peer.received.filter(({ seq, type }) => seq !== '0' && type !== 'INFO');
}

/** What a reader was sent of the log, as positions: entries, receipts and notices. */
export function coverage(peer: RawPeer, transaction: string): [from: number, to: number][] {
  return peer.received
    .filter((envelope) => envelope.transaction === transaction && envelope.seq !== '0')
    .map(({ from_seq, seq }) => [Number(from_seq ?? seq), Number(seq)]);
}

/** Fails unless each frame begins right after the one before it. */
export function expectContiguous(peer: RawPeer, transaction: string, begin: number): void {
  let read = begin;
  for (const [from, to] of coverage(peer, transaction)) {
    expect([from, to]).toEqual([read + 1, Math.max(to, read + 1)]);
    read = to;
  }
}

/** The ERRORs a peer received: code by code. */
export function errorsOf(peer: RawPeer): string[] {
  return peer.received.filter(({ type }) => type === 'ERROR').map(({ payload }) => payload.code);
}

/** `count` things made from their index. */
export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

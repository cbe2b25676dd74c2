// A server over the reference store, with raw peers on memory links and a clock that the test holds.

import { type MemoryHistoryOptions, memoryHistory } from '@haip/history-memory';
import type { Authenticator, HAIPUser, HistoryStore, LogLevel, Tool } from '@haip/protocol';
import {
  type FakeClock,
  fakeClock,
  type MemoryLink,
  memoryLink,
  type RawEnvelope,
  type RawPeer,
  rawPeer,
} from '@haip/testing';
import { onTestFinished } from 'vitest';
import { HAIPServer, type HAIPServerOptions } from '../src/index.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestServer {
  readonly server: HAIPServer;
  readonly clock: FakeClock;
  readonly history: HistoryStore;
  readonly logged: LogLine[];
  /** A raw peer on a link of its own. */
  connect(): RawPeer & { readonly link: MemoryLink };
  /** A raw peer that said HAI as this user. */
  enter(user?: string, hai?: Record<string, unknown>): Promise<RawPeer & { readonly link: MemoryLink }>;
}

export interface TestServerOptions {
  readonly history?: HistoryStore | MemoryHistoryOptions;
  readonly limits?: HAIPServerOptions['limits'];
  readonly authenticate?: Authenticator;
  readonly tools?: readonly Tool<never>[];
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

export function testServer(options: TestServerOptions = {}): TestServer {
  const clock = fakeClock();
  let next = 0;
  const ids = (): string => `s-${++next}`;
  const history = isStore(options.history) ? options.history : memoryHistory({ clock, ids, ...options.history });
  const logged: LogLine[] = [];
  const server = new HAIPServer({
    history,
    clock,
    ids,
    limits: options.limits,
    logger: (level, event, fields = {}) => logged.push({ level, event, fields }),
  });
  server.authenticate(options.authenticate ?? ((auth) => (typeof auth?.user === 'string' ? userOf(auth.user) : null)));
  server.registerTool(echo);
  for (const tool of options.tools ?? []) server.registerTool(tool);
  onTestFinished(() => server.close());

  const test: TestServer = {
    server,
    clock,
    history,
    logged,
    connect() {
      const link = memoryLink();
      void server.accept(link.server, { transport: 'memory', headers: {} });
      return Object.assign(rawPeer(link.client), { link });
    },
    async enter(user = 'ada', hai = {}) {
      const peer = test.connect();
      await peer.hai({ auth: { user }, ...hai });
      return peer;
    },
  };
  return test;
}

/** Starts a transaction and gives its id and epoch. */
export async function start(peer: RawPeer, toolName = 'echo', params = {}): Promise<{ id: string; epoch: string }> {
  const sent = peer.send({
    type: 'TRANSACTION_START',
    transaction: `ref-${peer.session}-${toolName}`,
    payload: { toolName, params },
  });
  const reply = await peer.until(({ related_id }) => related_id === sent.id);
  if (reply.type !== 'TRANSACTION_START') throw new Error(`start was refused: ${JSON.stringify(reply.payload)}`);
  await peer.until(({ type, payload }) => type === 'INFO' && payload.kind === 'receipt');
  return { id: reply.transaction as string, epoch: reply.payload.epoch };
}

/** Entries among what a peer received, in order. */
export function entriesOf(peer: RawPeer): RawEnvelope[] {
  return peer.received.filter(({ seq, type }) => seq !== '0' && type !== 'INFO');
}

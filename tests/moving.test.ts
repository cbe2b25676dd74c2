// A live session that is moved from transport to transport while an answer of 10,000 parts comes and messages go: what
// the application is handed is the log, each entry once and in order.

import { createServer } from 'node:http';
import { HAIPClient, type Transaction } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import type { Accept, Clock, ConnectionEnd, ConversationEntry, Transport } from '@haip/protocol';
import { HAIPServer, type Turn } from '@haip/server-core';
import { fakeClock, memoryTransport } from '@haip/testing';
import { webSocket } from '@haip/transport-ws/client';
import { acceptWebSockets } from '@haip/transport-ws/server';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listening, ways } from './http/served.ts';

const parts = Array.from({ length: 10_000 }, (_, i) => `${i} `);
const whole = parts.join('');
const quiet = (): void => {};
const textOf = ({ payload }: ConversationEntry): string => (payload as { text?: string }).text ?? '';

/** How many characters of the answer were handed over. */
class Progress {
  #characters = 0;
  #wake = quiet;

  add(characters: number): void {
    this.#characters += characters;
    this.#wake();
  }

  async reach(characters: number): Promise<void> {
    while (this.#characters < characters) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/**
 * A server whose tool answers `tell` with all parts, each after `pause`, and nothing else with anything. It ends the
 * message when all was read: an answer that has ended is kept as one entry, and who comes later is handed that.
 */
function tellingServer(progress: Progress, pause: (written: number) => Promise<void>, clock?: Clock) {
  const server = new HAIPServer({ history: memoryHistory({ clock, windowSize: 50_000 }), clock, logger: quiet });
  server.authenticate(() => ({ id: 'user', permissions: { MESSAGE: ['*'] }, credits: 1e6 }));
  server.registerTool<string>({
    name: 'teller',
    async onMessage(turn: Turn, text) {
      if (text !== 'tell') return;
      const writer = await turn.stream();
      let written = 0;
      for (const part of parts) {
        await pause(written);
        await writer.write(part);
        written += part.length;
      }
      await progress.reach(written);
      await writer.end();
    },
  });
  const ends: Promise<ConnectionEnd>[] = [];
  const accept: Accept = (connection, info) => {
    ends.push(connection.closed);
    return server.accept(connection, info);
  };
  return { server, accept, ends };
}

/** What is handed over, from the first entry on. */
async function beginAnswer(client: HAIPClient, progress: Progress) {
  await client.connect();
  const chat = await client.startTransaction('teller');
  const handed: ConversationEntry[] = [];
  chat.on('entry', (entry) => {
    handed.push(entry);
    if (entry.type === 'MESSAGE_PART') progress.add(textOf(entry).length);
  });
  const sent = [chat.sendText('tell')];
  return { chat, handed, sent };
}

type Begun = Awaited<ReturnType<typeof beginAnswer>>;

const isEnded = ({ conversation }: Transaction): boolean =>
  conversation.messages.some(({ status, channel }) => channel === 'AGENT' && status === 'complete');

/** Resolves once the conversation looks so. */
function whenSeen(chat: Transaction, isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = chat.on('change', look);
    function look(): void {
      if (!isSo()) return;
      stop();
      resolve();
    }
    look();
  });
}

/** Where a text is not the one that was told; -1: nowhere. */
function differsAt(text: string): number {
  if (text === whole) return -1;
  const at = [...text].findIndex((character, i) => character !== whole[i]);
  return at < 0 ? text.length : at;
}

async function expectTheLog({ chat, handed, sent }: Begun, client: HAIPClient): Promise<void> {
  await whenSeen(chat, () => chat.pending.length === 0);
  await Promise.all(sent);
  const stored: ConversationEntry[] = [];
  for await (const entry of chat.getReplayWindow()) stored.push(entry);
  const streamed = (type: string, entries: ConversationEntry[]): string =>
    entries.map((entry) => (entry.type === type ? textOf(entry) : '')).join('');
  const shown = chat.conversation.messages.find(({ channel }) => channel === 'AGENT')?.text ?? '';
  const texts = [streamed('MESSAGE_END', stored), streamed('MESSAGE_PART', handed), shown];
  expect(texts.map(differsAt)).toEqual([-1, -1, -1]);
  const positions = handed.map(({ position }) => position);
  expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
  const own = (entries: ConversationEntry[]) => entries.flatMap(({ id, type }) => (type === 'MESSAGE' ? [id] : []));
  expect(own(handed)).toEqual((await Promise.all(sent)).map(({ id }) => id));
  expect(own(handed)).toEqual(own(stored));
  expect(chat.conversation.gaps).toEqual([]);
  expect(client.stats).toMatchObject({ duplicates: 0, faults: 0 });
}

test('F17, I8: whatever memory links it is moved between, every 50 ms, an answer is handed over as the log has it [HTTP-2]', async () => {
  // The slowest open in 60 ms: then the next move waits for this one.
  const latency = fc.integer({ min: 0, max: 15 });
  await fc.assert(
    fc.asyncProperty(fc.tuple(latency, latency, latency), fc.infiniteStream(fc.nat(2)), async (latencies, choices) => {
      const clock = fakeClock();
      const pause = () => new Promise<void>((resolve) => void clock.timer(1, resolve));
      const progress = new Progress();
      const { server, accept, ends } = tellingServer(progress, pause, clock);
      const transports = latencies.map((latencyMs, i) =>
        memoryTransport(accept, { name: `memory ${i}`, clock, latencyMs, binary: i > 0 }),
      );
      const client = new HAIPClient({ transports, clock, logger: quiet });
      const beginning = beginAnswer(client, progress);
      await clock.advance(100);
      const begun = await beginning;
      const moves: Promise<void>[] = [];
      while (!isEnded(begun.chat)) {
        moves.push(client.useTransport(transports[choices.next().value as number] as Transport));
        if (moves.length % 3 === 0) begun.sent.push(begun.chat.sendText(`message ${moves.length}`));
        await clock.advance(50);
      }
      await clock.advance(10_000);
      await Promise.all(moves);
      const checking = expectTheLog(begun, client);
      await clock.advance(5_000);
      await checking;
      expect(moves.length).toBeGreaterThan(150);
      expect(client.stats.connections).toBe(moves.length + 1);
      // Each was fenced by the next one, and nothing else ended any.
      const codes = (await Promise.all(ends.slice(0, -1))).map(({ code }) => code);
      expect(codes).toEqual(moves.map(() => 4409));
      client.disconnect();
      await server.close();
    }),
    { numRuns: 3 },
  );
});

test('F17, I8: moved between WebSocket, streamed HTTP and event streams, an answer is handed over as the log has it [HTTP-2]', async () => {
  await fc.assert(fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 2 })), moveOverSockets), { numRuns: 2 });
});

/** Moves to the next transport, or the one behind it, whenever something came over the one before. */
async function moveOverSockets(steps: Iterator<number>): Promise<void> {
  const progress = new Progress();
  // The tool is never far ahead of who reads, also while nobody does.
  const { server, accept, ends } = tellingServer(progress, (written) => progress.reach(written - 300));
  const http = createServer();
  acceptWebSockets(http, accept);
  const onNode = ways.filter(({ name }) => /Node/.test(name));
  for (const way of onNode) way.mount(http, accept);
  const { origin, close } = await listening(http);
  const webSocketUrl = `${origin.replace('http', 'ws')}/haip/websocket`;
  const transports = [webSocket({ url: webSocketUrl }), ...onNode.map(({ dialer }) => dialer(origin))];
  const client = new HAIPClient({ transports, logger: quiet });
  try {
    const begun = await beginAnswer(client, progress);
    const { chat, handed, sent } = begun;
    let moves = 0;
    let at = 0;
    while (!isEnded(chat)) {
      at = (at + steps.next().value) % 3;
      const seen = handed.length;
      sent.push(chat.sendText(`message ${++moves}`));
      await client.useTransport(transports[at] as Transport);
      await whenSeen(chat, () => handed.length > seen + 5 || isEnded(chat));
    }
    await expectTheLog(begun, client);
    expect(moves).toBeGreaterThan(10);
    expect(client.stats.connections).toBe(moves + 1);
    const codes = (await Promise.all(ends.slice(0, -1))).map(({ code }) => code);
    expect(codes).toEqual(Array.from({ length: moves }, () => 4409));
  } finally {
    client.disconnect();
    await server.close();
    await close();
  }
}

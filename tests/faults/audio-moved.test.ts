// Audio that was stored, its author never told, and sent again over another transport: raw bytes one time, base64 the
// other.

import type { Transport } from '@haip/protocol';
import { expect, test } from 'vitest';
import { proxyTo, realClient, realServer } from './in-test.ts';
import { untilMessages, type Wire, wire } from './real-pair.ts';

const wires: readonly Wire[] = ['websocket', 'sse', 'http'];
const moves = wires.flatMap((from) => wires.filter((to) => to !== from).map((to) => [from, to] as const));

test.each(moves)('F3: audio of 1 MiB sent over %s and again over %s is one message [AUDIO-1]', async (from, to) => {
  const server = await realServer();
  const proxy = await proxyTo(server);
  const first = wire(proxy.port, from);
  let isBlocked = false;
  const blocked: Transport = {
    name: first.name,
    dial: (options, signal) => (isBlocked ? Promise.reject(new Error('blocked')) : first.dial(options, signal)),
  };
  const { client } = realClient(server.port, { transports: [blocked, wire(server.port, to)] });
  await client.connect();
  const chat = await client.startTransaction('echo');
  const witness = realClient(server.port, { user: 'witness' });
  await witness.client.connect();
  const seen = await witness.client.joinTransaction(chat.id);

  const bytes = Uint8Array.from({ length: 1_048_576 }, (_, i) => i * 7);
  for (const link of proxy.links) link.mute('down');
  const sending = chat.sendAudio({ bytes, mime: 'audio/pcm' });
  await untilMessages(seen, 2);
  expect(chat.pending).toHaveLength(1);
  isBlocked = true;
  for (const link of proxy.links) link.cut('reset');

  const { position } = await sending;
  await untilMessages(chat, 2);
  for (const { conversation } of [chat, seen]) {
    expect(conversation.messages.map(({ channel, audio }) => [channel, audio?.mime])).toEqual([
      ['USER', 'audio/pcm'],
      ['AGENT', 'audio/pcm'],
    ]);
    for (const { audio } of conversation.messages) expect(Buffer.compare(audio?.bytes ?? Buffer.of(), bytes)).toBe(0);
  }
  expect(position).toBe(seen.conversation.messages[0]?.position);
  expect(client.stats).toMatchObject({ connections: 2, faults: 0 });
});

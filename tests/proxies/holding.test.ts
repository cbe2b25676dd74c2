// A client whose first transport leads through a proxy that holds streams back: it notices and moves on.

import { expect, test } from 'vitest';
import { ways } from '../http/served.ts';
import { type HoldingOptions, holdingProxy } from './holding-proxy.ts';
import { overWebSocket, person, serve, spell } from './scene.ts';

const proxies: readonly [string, HoldingOptions][] = [
  ['everything to its end', { passes: 'nothing', blockBytes: Number.POSITIVE_INFINITY }],
  ['what comes behind the HAI to its end', { passes: 'the HAI', blockBytes: Number.POSITIVE_INFINITY }],
  ['what comes behind the HAI in blocks of 64 KiB', { passes: 'the HAI', blockBytes: 65_536 }],
];
const onNode = ways.filter(({ name }) => name.endsWith('on Node'));
const cases = proxies.flatMap(([what, holding]) => onNode.map((row) => ({ what, holding, row })));

test.each(cases)(
  'F12: over a proxy that holds back $what of $row.name the client moves on to the next transport',
  async ({ holding, row }) => {
    const scene = await serve([row, overWebSocket]);
    const { origin } = await holdingProxy(scene, holding);
    const transports = [row.dialer(origin), overWebSocket.dialer(scene.origin)];
    const client = person(transports, { connectTimeoutMs: 500, deliverTimeoutMs: 500 });
    await client.connect();
    const chat = await client.startTransaction('speller');
    await spell(chat, scene, 'Hello');
    expect(scene.cameOver.at(-1)).toBe('websocket');
    expect(chat.conversation.messages.map(({ text }) => text)).toEqual(['Hello', 'Hello']);
  },
);

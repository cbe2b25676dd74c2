// Every transport through a real nginx. That a stream comes event by event is asserted by what waits for what: each
// part is said only when the one before was seen at the other end, so a stream that is held back never ends.

import type { HAIPClient, Transaction } from '@haip/client-core';
import { expect, test, vi } from 'vitest';
import { ways } from '../http/served.ts';
import { nginxBefore } from './nginx.ts';
import {
  bare,
  documented,
  overWebSocket,
  person,
  type Row,
  remembering,
  rows,
  type Scene,
  serve,
  spell,
  whenSaid,
} from './scene.ts';

const once = { connections: 1, duplicates: 0, faults: 0 };

async function talkThrough(http: string, row: Row, scene: Scene): Promise<{ client: HAIPClient; chat: Transaction }> {
  const { origin } = await nginxBefore(scene, http);
  const client = person([row.dialer(origin)]);
  await client.connect();
  const chat = await client.startTransaction('speller');
  await spell(chat, scene, 'Hello');
  await spell(chat, scene, 'Zoë, 東京');
  return { client, chat };
}

test.each(rows)('F12: through nginx as documented $name comes event by event', async (row) => {
  const scene = await serve([row]);
  const { client } = await talkThrough(documented, row, scene);
  expect(client.stats).toEqual(once);
});

test.each(ways)('F12: through nginx as it comes, which speaks HTTP/1.0, $name comes event by event', async (row) => {
  const scene = await serve([row]);
  const { client } = await talkThrough(bare, row, scene);
  expect(client.stats).toEqual(once);
  expect(scene.count.connections).toBe(scene.count.requests);
});

test.each(ways)('F12: through nginx the POSTs of $name share connections that are kept', async (row) => {
  const scene = await serve([row]);
  const { chat } = await talkThrough(documented, row, scene);
  for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) await spell(chat, scene, text);
  expect(scene.count.requests).toBeGreaterThan(8);
  expect(scene.count.connections).toBeLessThanOrEqual(3);
});

const compressing = `gzip on; gzip_types *; gzip_proxied any; gzip_min_length 0;\n${documented}`;

test.each(rows)('F12: through nginx that compresses everything $name comes event by event', async (row) => {
  const scene = await serve([row]);
  const { origin } = await nginxBefore(scene, compressing);
  const codings: (string | null)[] = [];
  const asking: typeof fetch = async (url, init) => {
    const headers = { ...(init?.headers as Record<string, string>), 'accept-encoding': 'gzip' };
    const response = await fetch(url, { ...init, headers });
    codings.push(response.headers.get('content-encoding'));
    return response;
  };
  const client = person([row.dialer(origin, asking)]);
  await client.connect();
  await spell(await client.startTransaction('speller'), scene, 'Hello');
  expect(client.stats).toEqual(once);
  if (row !== overWebSocket) expect(codings[0]).toBe('gzip');
});

/** All of it twenty times as fast: nginx waits 60 s for a byte, streams say something every 15 s, clients ask after 20 s. */
const impatient = documented.replace(
  'access_log off;',
  'access_log off; proxy_read_timeout 3s; proxy_send_timeout 3s;',
);

test('F13: through nginx that gives up after a while every transport is kept open though nothing is said', async () => {
  const talks = rows.map(async (row) => {
    const scene = await serve([row], { keepAliveMs: 750 });
    const { origin } = await nginxBefore(scene, impatient);
    const { transport, last } = remembering(row.dialer(origin));
    const client = person([transport], { heartbeat: { pingAfterMs: 1000, deadAfterMs: 1000 } });
    await client.connect();
    const chat = await client.startTransaction('speller');
    await spell(chat, scene, 'before');
    // So many signs of life take longer than nginx waits.
    const { heard } = last();
    await vi.waitUntil(() => last().heard >= heard + 12, { timeout: 30_000 });
    await spell(chat, scene, 'after');
    return [row.name, client.stats];
  });
  expect(await Promise.all(talks)).toEqual(rows.map(({ name }) => [name, once]));
});

test.each(rows)('F13: $name that says too little for nginx is cut, and the conversation goes on', async (row) => {
  const scene = await serve([row], { keepAliveMs: 60_000 });
  const { origin } = await nginxBefore(scene, impatient.replaceAll('3s', '500ms'));
  const client = person([row.dialer(origin)], { reconnect: { minDelayMs: 1, maxDelayMs: 5 } });
  await client.connect();
  const chat = await client.startTransaction('speller');
  await new Promise((resolve) => client.on('state', ({ name }) => name === 'waiting' && resolve(name)));
  const sent = chat.sendText('x');
  scene.next();
  await sent;
  await whenSaid(chat, 2, 'x');
  expect(client.stats).toMatchObject({ duplicates: 0, faults: 0 });
  expect(client.stats.connections).toBeGreaterThan(1);
});

/** What comes over HTTP/1.0 has no length and no chunks: nginx keeps it until its buffers are full. */
const withholding = documented.replace(
  'location /haip/ {',
  `location ~ ^/haip/s {
    proxy_pass http://127.0.0.1:8080;
    proxy_ignore_headers X-Accel-Buffering;
  }

  location /haip/ {`,
);

test.each(ways)(
  'F12: over nginx that holds back what $name says the client moves on to the next transport',
  async (row) => {
    const scene = await serve([row, overWebSocket]);
    const { origin } = await nginxBefore(scene, withholding);
    const client = person([row.dialer(origin), overWebSocket.dialer(origin)], { connectTimeoutMs: 500 });
    await client.connect();
    await spell(await client.startTransaction('speller'), scene, 'Hello');
    expect(client.stats).toEqual(once);
    expect(scene.cameOver.at(-1)).toBe('websocket');
  },
);

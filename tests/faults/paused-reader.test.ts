// Readers who stop reading: what they cost, and how they come back.

import { expect, test } from 'vitest';
import { attackScene, inMiB, MiB, tell } from './attack-scene.ts';
import { proxyTo, realClient } from './in-test.ts';
import { until } from './real-pair.ts';

test('F14 and A31: sockets that stop reading under 1 MiB messages cost what is stated, are closed 4008, and resume', async () => {
  const { server, beside, expectWhole } = await attackScene();
  const readers = 20;
  const messages = 100;
  const author = realClient(server.port, { user: 'author' });
  await author.client.connect();
  const chat = await author.client.startTransaction('flood');
  const proxy = await proxyTo(server);
  // They grant more than they will read: with windows as they are by default, those would stop the server first.
  const windowBytes = 1024 * MiB;
  const paused = Array.from({ length: readers }, (_, i) => realClient(proxy.port, { user: `reader${i}`, windowBytes }));
  const chats = await Promise.all(
    paused.map(async ({ client }) => {
      await client.connect();
      return client.joinTransaction(chat.id);
    }),
  );
  const before = await server.ask({ what: 'memory' });
  for (const link of proxy.links) link.stall('down');
  const flood = async (): Promise<void> => {
    await chat.sendText(`${messages} ${MiB}`);
    // Nobody waits for the author either, so some of it may be gone before it is read: the last is what counts.
    await until(() => chat.conversation.messages.at(-1)?.audio?.bytes?.[0] === messages - 1);
  };
  const { slowestMs, lines } = await beside(flood());
  const during = await server.ask({ what: 'memory' });

  // docs/reliability.md, "Memory of a slow reader".
  const frameBytes = MiB + 1024;
  const stated = 8 * MiB + 4 * MiB + readers * (65_536 + frameBytes);
  const used = during.used - before.used;
  tell('paused', {
    used: inMiB(used),
    stated: inMiB(stated),
    peak: inMiB(during.peakRss - before.rss),
    slowestMs,
    lines,
  });
  // Slack: what else the process keeps by then, code and pools.
  expect(used).toBeLessThan(stated + 16 * MiB);
  expect(during.peakRss - before.rss).toBeLessThan(stated + 150 * MiB);
  expect(during.connections).toBe(readers + 2);

  // Their way up still works, so they are no vanished peers; author and neighbour talk while the time passes.
  const saying: Promise<unknown>[] = [];
  for (let ms = 0; ms < 10_000; ms += 5_000) {
    for (const same of chats) saying.push(same.sendText('still here'));
    await beside(chat.sendText('0 0'));
    await server.ask({ what: 'advance', ms: 5_000 });
  }
  let ends: Readonly<Record<number, number>> = {};
  // On a busy machine the system's own buffers may have taken something since: their time begins anew then.
  while ((ends[4008] ?? 0) < readers) {
    await beside(chat.sendText('0 0'));
    await server.ask({ what: 'advance', ms: 1_000 });
    ({ ends } = await server.ask({ what: 'count' }));
  }
  expect(ends).toEqual({ 4008: readers });
  for (const link of proxy.links.slice(0, readers)) link.resume('down');
  await Promise.all(saying);
  await until(() => chats.every(({ conversation }) => conversation.position >= chat.conversation.position));
  for (const { conversation } of chats) {
    const said = conversation.messages.filter(({ text }) => text === 'still here');
    expect(said).toHaveLength(readers * 2);
    const ends = conversation.gaps.flatMap(({ first, last }) => [first, last]);
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
    expect(new Set(conversation.messages.map(({ id }) => id)).size).toBe(conversation.messages.length);
  }
  expectWhole();
}, 60_000);

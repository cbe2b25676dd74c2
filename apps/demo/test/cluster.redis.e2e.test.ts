// Two servers over one Redis, behind a proxy that keeps nobody to one of them, while they are killed and started again.

import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { begin, carriedBy, choose, countTo, demoBrowser, figure, say, texts, waitForNumber } from './demo-page.ts';
import { type OwnRedis, startRedis } from './own-redis.ts';

/** Each node starts twice, and what a killed one left open is closed when its lease lapses: that takes a while. */
const timeout = 180_000;
const patience = { timeout: 60_000 };

const { visit } = demoBrowser();
let redis: OwnRedis;
let cluster: Cluster;

beforeAll(async () => {
  redis = await startRedis();
  cluster = await startCluster({ redis: redis.url, port: '0', tell: () => {} });
});

afterAll(async () => {
  await cluster.close();
  await redis.stop();
});

/** Asks for the rest, wherever a kill cut the answer off, until there is no more; gives all that was read. */
async function readToTheEnd(page: Page): Promise<string> {
  const ended = page.locator('[data-from=agent][data-open=false]');
  for (let parts = 1; ; parts++) {
    const part = ended.nth(parts - 1);
    await part.waitFor(patience);
    if ((await part.getByText('The server went away').count()) === 0) break;
    await page.getByRole('button', { name: 'Go on' }).click();
  }
  const said = await ended.getByTestId('message-text').allTextContents();
  return said.map((text) => text.trim()).join(' ');
}

test('F21, F23: over each transport what is read is complete and unrepeated while one node after the other is killed', {
  timeout,
}, async () => {
  const names = ['WebSocket', 'SSE', 'HTTP'];
  const pages = await Promise.all(
    names.map(async (name) => {
      const page = await visit(cluster.url);
      await begin(page, 'assistant');
      await choose(page, name);
      await carriedBy(page, name);
      return page;
    }),
  );
  for (const page of pages) await say(page, 'Count to 300');
  await Promise.all(pages.map((page) => waitForNumber(page, 20)));
  for (const node of cluster.nodes) {
    await node.kill();
    await node.start();
  }
  const read = await Promise.all(pages.map(readToTheEnd));
  expect(read).toEqual(names.map(() => countTo(300)));
  for (const [index, page] of pages.entries()) {
    await carriedBy(page, names[index] ?? '');
    expect(await figure(page, 'Shown twice')).toBe('0');
    expect(await figure(page, 'Missing')).toBe('0');
    expect(await figure(page, 'Connection lost')).not.toBe('never');
  }

  // And on: a guest sees the same, and both talk.
  const [page = await visit(cluster.url)] = pages;
  const guest = await visit(page.url());
  await guest.getByText('Count to 300').first().waitFor();
  await say(guest, 'Count to 3');
  for (const one of [page, guest]) await one.getByText(countTo(3), { exact: true }).waitFor(patience);
  expect(await texts(guest).allInnerTexts()).toEqual(await texts(page).allInnerTexts());
});

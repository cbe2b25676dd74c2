import { describe, expect, test } from 'vitest';
import { tearableLine } from './demo-child.ts';
import {
  answer,
  begin,
  carriedBy,
  choose,
  countTo,
  demoBrowser,
  figure,
  say,
  waitForNumber,
  wholeAnswer,
} from './demo-page.ts';

const { url, visit } = demoBrowser();

const all = [
  ['WebSocket', '/haip/websocket'],
  ['SSE', '/haip/sse'],
  ['HTTP', '/haip/stream'],
] as const;
const pairs = all.flatMap((from) => all.filter((to) => to !== from).map((to) => [from[0], ...to] as const));

describe('the switch', () => {
  test.each(pairs)('moves an answer from %s to %s in its middle: complete and unrepeated', async (from, to, path) => {
    const page = await visit(url());
    const dialed: string[] = [];
    page.on('request', (request) => dialed.push(new URL(request.url()).pathname));
    page.on('websocket', (socket) => dialed.push(new URL(socket.url()).pathname));
    await begin(page, 'assistant');
    await choose(page, from);
    await carriedBy(page, from);
    const movedBefore = from === 'WebSocket' ? 'never' : 'once';
    expect(await figure(page, 'Moved to another')).toBe(movedBefore);

    await say(page, 'Count to 120');
    await waitForNumber(page, 15);
    dialed.length = 0;
    await choose(page, to);
    await carriedBy(page, to);
    expect(dialed).toContain(path);
    expect(await answer(page).getAttribute('data-open')).toBe('true');
    expect(await wholeAnswer(page, 1)).toBe(countTo(120));
    expect(await page.locator('[data-from=agent]').count()).toBe(1);
    expect(await figure(page, 'Moved to another')).toBe(movedBefore === 'never' ? 'once' : '2 times');
    expect(await figure(page, 'Connection lost')).toBe('never');
    expect(await figure(page, 'Shown twice')).toBe('0');
    expect(await figure(page, 'Missing')).toBe('0');

    await say(page, 'Count to 3');
    expect(await wholeAnswer(page, 2)).toBe(countTo(3));
  });

  test('several moves in one answer, one of them while the last is under way, leave it complete', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await say(page, 'Count to 100');
    await waitForNumber(page, 10);
    await choose(page, 'SSE');
    await choose(page, 'HTTP');
    await carriedBy(page, 'HTTP');
    await waitForNumber(page, 40);
    await choose(page, 'WebSocket');
    await carriedBy(page, 'WebSocket');
    expect(await wholeAnswer(page, 1)).toBe(countTo(100));
    expect(await figure(page, 'Connection lost')).toBe('never');
    expect(await figure(page, 'Shown twice')).toBe('0');
    expect(await figure(page, 'Missing')).toBe('0');
  });

  test('is worked with the keyboard, and says what the connection uses', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await carriedBy(page, 'WebSocket');
    await page.getByRole('radio', { name: 'WebSocket' }).focus();
    await page.keyboard.press('ArrowRight');
    await carriedBy(page, 'SSE');
    await page.getByRole('status').getByText('Connected over SSE.').waitFor({ state: 'attached' });
    await page.keyboard.press('ArrowRight');
    await carriedBy(page, 'HTTP');
    await page.getByRole('status').getByText('Connected over HTTP.').waitFor({ state: 'attached' });
  });
});

test.each(['SSE', 'HTTP'])(
  'over %s, cuts in the middle of an answer leave it complete and unrepeated',
  async (name) => {
    const line = await tearableLine(url());
    const page = await visit(line.url);
    await begin(page, 'assistant');
    await choose(page, name);
    await carriedBy(page, name);
    await say(page, 'Count to 60');
    const cuts = [
      () => page.getByRole('button', { name: 'Cut the connection' }).click(),
      () => line.tear(),
      () => page.getByRole('button', { name: 'Cut the connection' }).click(),
    ];
    for (const [index, cut] of cuts.entries()) {
      await waitForNumber(page, 12 * (index + 1));
      await cut();
      await page
        .locator('.figure', { hasText: 'Connection lost' })
        .getByText(['once', '2 times', '3 times'][index] ?? '')
        .waitFor();
      await carriedBy(page, name);
    }
    expect(await wholeAnswer(page, 1)).toBe(countTo(60));
    expect(await figure(page, 'Shown twice')).toBe('0');
    expect(await figure(page, 'Missing')).toBe('0');
    line.close();
  },
);

test('where no WebSocket gets through the page falls back, shows it, and says when it can not go back', async () => {
  const line = await tearableLine(url(), { webSockets: false });
  const page = await visit(line.url);
  await begin(page, 'assistant');
  await carriedBy(page, 'SSE');
  await say(page, 'Count to 60');
  await waitForNumber(page, 10);
  await choose(page, 'WebSocket');
  await page.getByText('WebSocket did not open').waitFor();
  await carriedBy(page, 'SSE');
  expect(await wholeAnswer(page, 1)).toBe(countTo(60));
  expect(await figure(page, 'Connection lost')).toBe('never');
  await choose(page, 'HTTP');
  await carriedBy(page, 'HTTP');
  expect(await page.getByText('did not open').count()).toBe(0);
  line.close();
});

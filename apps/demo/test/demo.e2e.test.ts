import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startDemo, tearableLine } from './demo-child.ts';
import {
  answer,
  begin,
  countTo,
  demoBrowser,
  field,
  figure,
  say,
  texts,
  waitForNumber,
  wholeAnswer,
} from './demo-page.ts';

const { url, visit, visitElsewhere } = demoBrowser();

describe('a conversation with the assistant', () => {
  test('a connection that is cut mid-answer leaves the text complete and unrepeated', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await say(page, 'Count to 60');
    for (const number of [15, 30]) {
      await waitForNumber(page, number);
      await page.getByRole('button', { name: 'Cut the connection' }).click();
      await page.getByText('Connected', { exact: true }).waitFor();
    }
    expect(await wholeAnswer(page, 1)).toBe(countTo(60));
    expect(await figure(page, 'Connection lost')).toBe('2 times');
    expect(await figure(page, 'Shown twice')).toBe('0');
    expect(await figure(page, 'Missing')).toBe('0');
    expect(await answer(page).locator('.seam').count()).toBeGreaterThan(0);

    await say(page, 'what did I ask first?');
    expect(await wholeAnswer(page, 2)).toContain('Count to 60');
  });

  test('a TCP reset mid-answer leaves the text complete and unrepeated', async () => {
    const line = await tearableLine(url());
    const page = await visit(line.url);
    await begin(page, 'assistant');
    await say(page, 'Count to 60');
    for (const [number, losses] of [
      [10, 'once'],
      [25, '2 times'],
      [40, '3 times'],
    ] as const) {
      await waitForNumber(page, number);
      line.tear();
      // A page that is behind shows on what it had read before it sees the reset.
      await expect.poll(() => figure(page, 'Connection lost'), { timeout: 20_000 }).toBe(losses);
      await page.getByText('Connected', { exact: true }).waitFor();
    }
    expect(await wholeAnswer(page, 1)).toBe(countTo(60));
    expect(await figure(page, 'Shown twice')).toBe('0');
    expect(await figure(page, 'Missing')).toBe('0');
    line.close();
  });

  test('what is written while offline waits, is stored once, and is answered', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await say(page, 'My name is Ada');
    await wholeAnswer(page, 1);
    await page.getByRole('button', { name: 'Offline for 5 s' }).click();
    await say(page, 'What is my name?');
    await page.getByRole('article', { name: 'You, not stored yet' }).waitFor();
    expect(await wholeAnswer(page, 2)).toBe('Your name is Ada.');
    expect(await page.getByText('What is my name?').count()).toBe(1);
    expect(await page.locator('[data-pending=true]').count()).toBe(0);
  });

  test('a second browser that joins late by the link sees the same, and both see what follows', async () => {
    const first = await visit(url());
    await begin(first, 'assistant');
    await say(first, 'Count to 20');
    await wholeAnswer(first, 1);
    await say(first, 'Count to 40');
    await waitForNumber(first, 10);

    const second = await visitElsewhere(first.url());
    await second.getByText('Count to 40', { exact: true }).waitFor();
    // What was there before is not read out.
    expect(await second.getByTestId('announcer').textContent()).not.toContain('Count to 20');
    expect(await wholeAnswer(second, 2)).toBe(countTo(40));
    await wholeAnswer(first, 2);
    expect(await texts(second).allInnerTexts()).toEqual(await texts(first).allInnerTexts());
    expect(await second.locator('.rail').allInnerTexts()).toEqual(await first.locator('.rail').allInnerTexts());

    await say(second, 'hello');
    await wholeAnswer(first, 3);
    await wholeAnswer(second, 3);
    expect(await texts(first).allInnerTexts()).toEqual(await texts(second).allInnerTexts());
    expect(await first.getByRole('article', { name: 'Guest' }).count()).toBe(1);
    expect(await second.getByRole('article', { name: 'You' }).count()).toBe(1);
  });

  test('a reload in the middle of an answer keeps the conversation and whose words they were', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await say(page, 'Count to 50');
    await waitForNumber(page, 20);
    await page.reload();
    expect(await wholeAnswer(page, 1)).toBe(countTo(50));
    expect(await page.getByRole('article', { name: 'You' }).count()).toBe(1);
    await say(page, 'Count to 3');
    expect(await wholeAnswer(page, 2)).toBe(countTo(3));
  });

  test('F22: a server that was restarted without its history is told of plainly, and what waits is not lost silently', async () => {
    const before = await startDemo();
    const page = await visit(before.url);
    await begin(page, 'assistant');
    await say(page, 'hello');
    await wholeAnswer(page, 1);
    expect(await before.stop()).toBe(0);
    await page.locator('.pill[data-link=waiting]').waitFor();
    await say(page, 'Are you there?');
    const after = await startDemo({ PORT: new URL(before.url).port });
    await page.getByText('The server does not have this conversation any more').waitFor();
    await page.getByText('This was not stored').waitFor();
    expect(await field(page).isDisabled()).toBe(true);
    await page.getByRole('link', { name: 'Begin a new one' }).click();
    await begin(page, 'echo');
    expect(await after.stop()).toBe(0);
  });

  test('a model that fails is told kindly', async () => {
    const broken = createServer((_, response) => response.writeHead(400).end('{}')).listen(0, '127.0.0.1');
    await once(broken, 'listening');
    const child = await startDemo({
      OPENAI_BASE_URL: `http://127.0.0.1:${(broken.address() as AddressInfo).port}/v1`,
      OPENAI_MODEL: 'm',
    });
    const page = await visit(child.url);
    await page.getByText('Speaks with m').waitFor();
    await begin(page, 'assistant');
    await say(page, 'Hello');
    await page.getByText('The answer could not be finished').waitFor();
    expect(await child.stop()).toBe(0);
    broken.close();
  });
});

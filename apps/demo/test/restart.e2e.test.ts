// The demo's server ends in every way that there is, and conversations go on.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startDemo, temporaryFolder } from './demo-child.ts';
import { answer, begin, countTo, demoBrowser, figure, say, texts, waitForNumber, wholeAnswer } from './demo-page.ts';

const { visit } = demoBrowser();

const connected = (page: Page): Promise<void> => page.getByText('Connected', { exact: true }).waitFor();
const waiting = (page: Page): Promise<void> => page.locator('.pill[data-link=waiting]').waitFor();

/** A demo that can be started again where it was: the same port, the same file. `env` is for its first life only. */
async function lastingDemo(env: Readonly<Record<string, string>> = {}) {
  const file = join(temporaryFolder(), 'conversations.db');
  const first = await startDemo({ HAIP_DB: file, ...env });
  const { port } = new URL(first.url);
  return { first, file, again: () => startDemo({ HAIP_DB: file, PORT: port }) };
}

/** The address of a model that thinks for as long as the test lasts. */
async function thinkingModel(): Promise<string> {
  const http = createServer(() => {}).listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.close();
    http.closeAllConnections();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`;
}

describe('F23: a server that is started again with its file', () => {
  test('F21: killed in the middle of an answer: what was said stays, and the same conversation goes on', async () => {
    const { first, again } = await lastingDemo();
    const page = await visit(first.url);
    await begin(page, 'assistant');
    await say(page, 'My name is Ada');
    await wholeAnswer(page, 1);
    await say(page, 'Count to 100');
    await waitForNumber(page, 20);
    await first.kill();
    await waiting(page);
    await say(page, 'What is my name?');
    const second = await again();
    await connected(page);
    await page.getByText('The server went away').waitFor();
    expect(await wholeAnswer(page, 3)).toBe('Your name is Ada.');

    const cut = (await texts(page).nth(3).textContent()) ?? '';
    expect(cut).toContain('20, ');
    expect(countTo(100).startsWith(cut.trim())).toBe(true);
    expect(cut.length).toBeLessThan(countTo(100).length);
    expect(await figure(page, 'Connection lost')).toBe('once');
    expect(await figure(page, 'Shown twice')).toBe('0');
    expect(await figure(page, 'Missing')).toBe('0');

    // A second browser that was not there sees the same, and talks there, too.
    const guest = await visit(page.url());
    await guest.getByText('Your name is Ada.').waitFor();
    expect(await texts(guest).allInnerTexts()).toEqual(await texts(page).allInnerTexts());
    await say(guest, 'Count to 3');
    expect(await wholeAnswer(page, 4)).toBe(countTo(3));
    expect(await second.stop()).toBe(0);
  });

  test('F21: an answer that was cut off by a kill goes on where it was when asked', async () => {
    const { first, again } = await lastingDemo();
    const page = await visit(first.url);
    await begin(page, 'assistant');
    await say(page, 'Count to 60');
    await waitForNumber(page, 15);
    await first.kill();
    const second = await again();
    await page.getByText('The server went away').waitFor();
    const cut = (await answer(page).getByTestId('message-text').textContent()) ?? '';
    await page.getByRole('button', { name: 'Go on' }).click();
    expect(`${cut.trim()} ${await wholeAnswer(page, 2)}`).toBe(countTo(60));
    expect(await second.stop()).toBe(0);
  });

  test('F21: an answer that was killed before its first word says so, and comes when asked', async () => {
    const { first, again } = await lastingDemo({ OPENAI_BASE_URL: await thinkingModel(), OPENAI_MODEL: 'any' });
    const page = await visit(first.url);
    await begin(page, 'assistant');
    await say(page, 'Count to 5');
    await page.locator('[data-from=agent][data-open=true]').waitFor();
    await first.kill();
    const second = await again();
    await answer(page).getByText('The server went away before the first word.').waitFor();
    await page.getByRole('button', { name: 'Go on' }).click();
    expect(await wholeAnswer(page, 2)).toBe(countTo(5));
    expect(await page.getByRole('button', { name: 'Go on' }).count()).toBe(0);
    expect(await second.stop()).toBe(0);
  });

  test('F24: asked to end in the middle of an answer, it lets that end, closes its file and ends well', async () => {
    const { first, file, again } = await lastingDemo();
    const page = await visit(first.url);
    await begin(page, 'assistant');
    // Few enough that a slow machine, too, is done within the grace of 10 s.
    await say(page, 'Count to 40');
    await waitForNumber(page, 10);
    expect(await first.stop()).toBe(0);
    // SQLite leaves no log behind a file that was closed.
    expect([existsSync(file), existsSync(`${file}-wal`)]).toEqual([true, false]);
    const second = await again();
    expect(await wholeAnswer(page, 1)).toBe(countTo(40));
    await say(page, 'Count to 3');
    expect(await wholeAnswer(page, 2)).toBe(countTo(3));
    expect(await figure(page, 'Shown twice')).toBe('0');
    expect(await figure(page, 'Missing')).toBe('0');
    expect(await second.stop()).toBe(0);
  });

  test('a page that was closed meanwhile finds its conversation under its link', async () => {
    const { first, again } = await lastingDemo();
    const page = await visit(first.url);
    await begin(page, 'echo');
    await say(page, 'one');
    await wholeAnswer(page, 1);
    const link = page.url();
    const context = page.context();
    await page.close();
    await first.kill();
    const second = await again();
    const later = await context.newPage();
    await later.goto(link);
    await say(later, 'two');
    expect(await wholeAnswer(later, 2)).toBe('two');
    expect(await later.getByRole('article', { name: 'You' }).count()).toBe(2);
    expect(await second.stop()).toBe(0);
  });
});

test('a file that another demo has open is an error in one line', async () => {
  const { first, again } = await lastingDemo();
  await expect(again()).rejects.toThrow(
    /^the demo ended with 1: HAIP demo: HAIP_DB: [^\n]* is open in another process[^\n]*\n$/,
  );
  expect(await first.stop()).toBe(0);
});

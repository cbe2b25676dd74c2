import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import {
  answer,
  begin,
  carriedBy,
  choose,
  countTo,
  demoBrowser,
  field,
  figure,
  say,
  texts,
  waitForNumber,
  wholeAnswer,
} from './demo-page.ts';

const { url, visit } = demoBrowser();

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Waits until the newest answer is shown as stopped, and gives what was said: a beginning of the count to `last`. */
async function stoppedAnswer(page: Page, last: number): Promise<string> {
  await page.getByRole('article', { name: 'Assistant, stopped' }).last().getByText('Stopped here.').waitFor();
  const text = (await answer(page).getByTestId('message-text').textContent()) ?? '';
  expect(text.length).toBeGreaterThan(10);
  expect(text.length).toBeLessThan(countTo(last).length);
  expect(countTo(last).startsWith(text.trim())).toBe(true);
  return text;
}

describe('an answer is stopped', () => {
  test.each(['WebSocket', 'SSE', 'HTTP'])(
    'in its middle over %s: what was said stays, and it goes on when asked',
    async (name) => {
      const page = await visit(url());
      await begin(page, 'assistant');
      await choose(page, name);
      await carriedBy(page, name);
      expect(await button(page, 'Stop').count()).toBe(0);
      await say(page, 'Count to 100');
      await waitForNumber(page, 10);
      await button(page, 'Stop').click();
      const said = await stoppedAnswer(page, 100);
      await button(page, 'Send').waitFor();
      expect(await button(page, 'Stop').count()).toBe(0);
      expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Send');

      await say(page, 'go on');
      expect(`${said.trim()} ${await wholeAnswer(page, 2)}`).toBe(countTo(100));
    },
  );

  test('from the second browser that shares the conversation, and both show the same', async () => {
    const first = await visit(url());
    await begin(first, 'assistant');
    await say(first, 'Count to 200');
    await waitForNumber(first, 5);
    const second = await visit(first.url());
    await waitForNumber(second, 10);
    await button(second, 'Stop').click();
    expect(await stoppedAnswer(first, 200)).toBe(await stoppedAnswer(second, 200));
    await button(first, 'Send').waitFor();
    expect(await texts(first).allInnerTexts()).toEqual(await texts(second).allInnerTexts());
  });

  test('while the connection is cut: as soon as it is back, and once', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await say(page, 'Count to 400');
    await waitForNumber(page, 10);
    await page.getByRole('button', { name: 'Offline for 5 s' }).click();
    await page.locator('.pill[data-link=waiting]').waitFor();
    await button(page, 'Stop').click();
    await page.locator('.stop-button[aria-disabled=true]').waitFor();
    await stoppedAnswer(page, 400);
    expect(await figure(page, 'Shown twice')).toBe('0');
    await say(page, 'Count to 3');
    expect(await wholeAnswer(page, 2)).toBe(countTo(3));
  });

  test('while offline, with a reload behind it: the stop is kept in the tab and goes out after it', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await say(page, 'Count to 400');
    await waitForNumber(page, 10);
    await page.getByRole('button', { name: 'Offline for 5 s' }).click();
    await page.locator('.pill[data-link=waiting]').waitFor();
    await button(page, 'Stop').click();
    await page.locator('.stop-button[aria-disabled=true]').waitFor();
    await page.reload();
    await stoppedAnswer(page, 400);
  });

  test('with Escape, wherever the focus is; what is being written stays, and can be sent meanwhile', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await say(page, 'Count to 200');
    await waitForNumber(page, 10);
    await field(page).fill('Count to 4');
    await button(page, 'Send').waitFor();
    await field(page).press('Escape');
    await stoppedAnswer(page, 200);
    expect(await field(page).inputValue()).toBe('Count to 4');

    await button(page, 'Send').click();
    expect(await wholeAnswer(page, 2)).toBe(countTo(4));
    await say(page, 'Count to 200');
    await waitForNumber(page, 10);
    await page.locator('#main').focus();
    await page.keyboard.press('Escape');
    // The first one is still shown as stopped, so the newest has to be waited for.
    await page.getByRole('article', { name: 'Assistant, stopped' }).nth(1).waitFor();
    await stoppedAnswer(page, 200);
  });

  test('but not by the Escape that closes a dialog', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await page.evaluate('Object.defineProperty(navigator, "clipboard", { value: undefined })');
    await say(page, 'Count to 60');
    await waitForNumber(page, 5);
    await button(page, 'Copy link').click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await wholeAnswer(page, 1)).toBe(countTo(60));
  });
});

import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { begin, demoBrowser, say, wholeAnswer } from './demo-page.ts';

const { url, visit } = demoBrowser();

const question = 'Set a reminder to stretch in an hour?';
const call = (page: Page, word: string) => page.getByRole('article', { name: `Action set_reminder, ${word}` });
const allow = (page: Page) => page.getByRole('button', { name: 'Allow' });
const deny = (page: Page) => page.getByRole('button', { name: 'Deny' });

async function askFor(page: Page): Promise<void> {
  await begin(page, 'assistant');
  await say(page, 'Remind me to stretch in an hour');
  await call(page, 'waits for your word').getByText(question).waitFor();
}

describe('a call that asks', () => {
  test('is allowed: its progress is seen, it is done, and then answered', async () => {
    const page = await visit(url());
    await askFor(page);
    await page.getByTestId('announcer').getByText(`A question: ${question}`).waitFor({ state: 'attached' });
    await page.evaluate(`
      window.seen = new Set();
      const look = () => {
        const bar = document.querySelector('progress');
        if (bar) window.seen.add(bar.value);
      };
      new MutationObserver(look).observe(document.querySelector('.entries'), { subtree: true, childList: true, attributes: true });
    `);
    await allow(page).click();
    await call(page, 'done').waitFor();
    expect(await wholeAnswer(page, 1)).toContain('The reminder to stretch in an hour is set.');
    const seen = (await page.evaluate('[...window.seen]')) as number[];
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(await allow(page).count()).toBe(0);
    expect(await page.locator('progress').count()).toBe(0);
    // In the order of the log: the wish, the call, the answer.
    const from = await page.locator('.entry').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-from')));
    expect(from).toEqual(['me', 'call', 'agent']);
  });

  test('is denied, with the keyboard', async () => {
    const page = await visit(url());
    await askFor(page);
    await deny(page).focus();
    await page.keyboard.press('Enter');
    await call(page, 'denied').waitFor();
    expect(await wholeAnswer(page, 1)).toBe('All right: no reminder to stretch in an hour.');
    expect(await page.evaluate('document.activeElement.ariaLabel')).toContain('Action set_reminder');
  });

  test('still waits after a reload and a cut, and is answered in the second browser for both', async () => {
    const first = await visit(url());
    await askFor(first);
    await first.reload();
    await call(first, 'waits for your word').getByText(question).waitFor();
    await first.getByRole('button', { name: 'Cut the connection' }).click();
    const second = await visit(first.url());
    await allow(second).click();
    for (const page of [first, second]) {
      await call(page, 'done').waitFor();
      expect(await wholeAnswer(page, 1)).toContain('is set.');
      expect(await call(page, 'done').count()).toBe(1);
    }
  });

  test('answered while offline, is answered as soon as the connection is back', async () => {
    const page = await visit(url());
    await askFor(page);
    await page.getByRole('button', { name: 'Offline for 5 s' }).click();
    await page.locator('.pill[data-link=waiting]').waitFor();
    await allow(page).click();
    await page.getByRole('button', { name: 'Allowing…' }).waitFor();
    expect(await wholeAnswer(page, 1)).toContain('is set.');
  });

  test('goes with the answer when that is stopped', async () => {
    const page = await visit(url());
    await askFor(page);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await call(page, 'stopped').waitFor();
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    expect(await allow(page).count()).toBe(0);
    await say(page, 'Count to 3');
    expect(await wholeAnswer(page, 1)).toBe('1, 2, 3.');
  });
});

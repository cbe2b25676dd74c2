import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { tearableLine } from './demo-child.ts';
import { begin, demoBrowser, field, say, texts, waitForNumber, wholeAnswer } from './demo-page.ts';

const { url, visit } = demoBrowser();

/** Waits until the page has saved that it has so many messages underway. */
async function waitForKept(page: Page, count: number): Promise<void> {
  await page.waitForFunction((expected) => {
    const kept = JSON.parse(sessionStorage.getItem('haip-outbox') ?? '{"messages":[]}');
    return kept.messages.length === expected;
  }, count);
}

const connected = (page: Page): Promise<void> => page.getByText('Connected', { exact: true }).waitFor();
const own = (page: Page) => page.getByRole('article', { name: 'You', exact: true });

describe('a page that reloads', () => {
  test('F59: what was written, and of which no word came back, is there once after the reload', async () => {
    const line = await tearableLine(url());
    const page = await visit(line.url);
    await begin(page, 'echo');
    await connected(page);
    line.swallow('down');
    await say(page, 'Did you get this?');
    await waitForKept(page, 1);
    await page.reload();
    expect(await wholeAnswer(page, 1)).toBe('Did you get this?');
    await own(page).waitFor();
    expect(await own(page).count()).toBe(1);
    expect(await page.locator('[data-pending=true]').count()).toBe(0);
    await waitForKept(page, 0);
    line.close();
  });

  test('F59: what was never written goes out after the reload, in its order', async () => {
    const page = await visit(url());
    await begin(page, 'echo');
    await page.getByRole('button', { name: 'Offline for 5 s' }).click();
    for (const text of ['one', 'two', 'three']) await say(page, text);
    await waitForKept(page, 3);
    await page.reload();
    expect(await wholeAnswer(page, 3)).toBe('three');
    await own(page).nth(2).waitFor();
    const said = await own(page).locator('[data-testid=message-text]').allInnerTexts();
    expect(said).toEqual(['one', 'two', 'three']);
  });

  test('F59: what was written too long ago is told as unknown, not sent', async () => {
    const line = await tearableLine(url());
    const page = await visit(line.url);
    await begin(page, 'echo');
    await connected(page);
    line.swallow('up');
    await say(page, 'Too late');
    await waitForKept(page, 1);
    await page.clock.setFixedTime(Date.now() + 3_600_000);
    await page.reload();
    await page.getByText('Nobody can say whether this was stored.').waitFor();
    expect(await texts(page).count()).toBe(0);
    // It is a person's turn now.
    await page.getByRole('button', { name: 'Send it again' }).click();
    expect(await wholeAnswer(page, 1)).toBe('Too late');
    expect(await own(page).count()).toBe(1);
    line.close();
  });

  test('F59: a stop that was written too long ago is no message that failed; it can be pressed again', async () => {
    const line = await tearableLine(url());
    const page = await visit(line.url);
    await begin(page, 'assistant');
    await say(page, 'Count to 400');
    await waitForNumber(page, 5);
    await waitForKept(page, 0);
    line.swallow('up');
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await waitForKept(page, 1);
    await page.clock.setFixedTime(Date.now() + 3_600_000);
    await page.reload();
    await waitForKept(page, 0);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByText('Stopped here.').waitFor();
    expect(await page.getByText('Nobody can say').count()).toBe(0);
    line.close();
  });
});

describe('a tab that was duplicated', () => {
  test('F60: the newer one has the session, the older one says so and does not fight, then each has its own [HAI-16]', async () => {
    const older = await visit(url());
    await begin(older, 'echo');
    await say(older, 'before');
    await wholeAnswer(older, 1);
    const session = await older.evaluate(() => sessionStorage.getItem('haip-outbox') ?? '');
    const newer = await older.context().newPage();
    await newer.addInitScript((text) => {
      if (!sessionStorage.getItem('haip-outbox')) sessionStorage.setItem('haip-outbox', text);
    }, session);
    await newer.goto(older.url());
    await older.getByText('goes on there').waitFor();
    expect(await field(older).isDisabled()).toBe(true);
    await say(newer, 'in the newer one');
    await wholeAnswer(newer, 2);
    await connected(newer);
    await older.getByRole('button', { name: 'Go on here as well' }).click();
    await wholeAnswer(older, 2);
    await connected(older);
    await say(older, 'in the older one');
    await wholeAnswer(older, 3);
    await wholeAnswer(newer, 3);
    await connected(newer);
    expect(await texts(newer).allInnerTexts()).toEqual(await texts(older).allInnerTexts());
    const tokenOf = (page: Page): Promise<unknown> =>
      page.evaluate(() => JSON.parse(sessionStorage.getItem('haip-outbox') ?? '{}').token);
    expect(await tokenOf(older)).not.toBe(await tokenOf(newer));
  });
});

describe('a page that is seen again', () => {
  test('F15, F61: asks its server at once, and has a new connection long before the heartbeat would have noticed', async () => {
    const line = await tearableLine(url());
    const page = await visit(line.url);
    await begin(page, 'echo');
    await connected(page);
    line.swallow('down');
    const began = Date.now();
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    await page.getByText('once', { exact: true }).waitFor();
    await connected(page);
    expect(Date.now() - began).toBeLessThan(15_000);
    await say(page, 'back');
    expect(await wholeAnswer(page, 1)).toBe('back');
    line.close();
  });
});

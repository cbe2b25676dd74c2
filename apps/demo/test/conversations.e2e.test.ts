// The list of past conversations, and going from one to another.

import { join } from 'node:path';
import type { Page } from 'playwright';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeConversations } from './conversation-file.ts';
import { startDemo, temporaryFolder } from './demo-child.ts';
import {
  begin,
  conversations,
  countTo,
  demoBrowser,
  field,
  profileOf,
  say,
  texts,
  waitForNumber,
  wholeAnswer,
} from './demo-page.ts';
import { xssPayloads } from './xss-payloads.ts';

const day = 86_400_000;
const patience = { timeout: 30_000 };
const secret = 'a-secret-that-is-as-long-as-one';

const file = join(temporaryFolder(), 'conversations.db');
/** Ids of what is in the file, by what was said last. */
const written = new Map<string, string>();

beforeAll(async () => {
  const many = Array.from({ length: 120 }, (_, n) => ({ said: [{ text: `number ${n}`, agoMs: 5 * day - n }] }));
  const special = [
    { said: [{ text: 'forgotten', agoMs: 31 * day }] },
    {
      said: [
        { text: 'long ago', agoMs: 31 * day },
        { text: 'not so long ago', agoMs: 2 * day },
      ],
    },
    { said: [{ text: 'goodbye', agoMs: 6 * day }], hasEnded: true },
  ];
  const ids = await writeConversations(file, secret, [...special, ...many]);
  for (const [index, past] of [...special, ...many].entries()) {
    written.set(past.said.at(-1)?.text ?? '', ids[index] as string);
  }
});

const { url, visit } = demoBrowser({ HAIP_DB: file });

const titles = (page: Page): Promise<string[]> => conversations(page).locator('.talk-title').allInnerTexts();
const entry = (page: Page, title: string) => conversations(page).getByRole('link').filter({ hasText: title });
const current = (page: Page) => conversations(page).locator('a[aria-current=page]');
const newConversation = (page: Page) => conversations(page).getByRole('link', { name: 'New conversation' });

describe('the list of conversations', () => {
  test('names each by its first line, newest first, marks the one that is shown, and opens another one whole', async () => {
    const page = await visit(url());
    await conversations(page).getByText('What you begin is listed here.').waitFor();
    await begin(page, 'echo');
    await entry(page, 'Nothing said yet').waitFor();
    await say(page, '  مرحبا بالعالم 🙂\nand more');
    await wholeAnswer(page, 1);
    await entry(page, 'مرحبا بالعالم 🙂').waitFor();
    await newConversation(page).click();
    expect(new URL(page.url()).hash).toBe('');
    await begin(page, 'assistant');
    await say(page, 'Count to 12');
    await wholeAnswer(page, 1);
    await entry(page, 'Count to 12').waitFor();
    expect(await titles(page)).toEqual(['Count to 12', 'مرحبا بالعالم 🙂']);
    expect(await current(page).textContent()).toContain('Count to 12');
    expect(await page.title()).toBe('Count to 12 · HAIP demo');

    await entry(page, 'مرحبا').click();
    await current(page).filter({ hasText: 'مرحبا' }).waitFor();
    expect(await wholeAnswer(page, 1)).toContain('and more');
    await say(page, 'again');
    expect(await wholeAnswer(page, 2)).toBe('again');
    // Back and forth as between pages.
    await page.goBack();
    await current(page).filter({ hasText: 'Count to 12' }).waitFor();
    expect(await texts(page).allInnerTexts()).toEqual(['Count to 12', countTo(12)]);
    await page.goForward();
    await current(page).filter({ hasText: 'مرحبا' }).waitFor();
    expect(await texts(page).count()).toBe(4);
  });

  test('is the same after a reload, of a server that was killed and started again', async () => {
    const own = join(temporaryFolder(), 'conversations.db');
    const first = await startDemo({ HAIP_DB: own });
    const page = await visit(first.url);
    for (const text of ['one', 'two']) {
      await begin(page, 'echo');
      await say(page, text);
      await wholeAnswer(page, 1);
      await entry(page, text).waitFor();
      await newConversation(page).click();
    }
    await first.kill();
    const second = await startDemo({ HAIP_DB: own, PORT: new URL(first.url).port });
    await page.reload();
    await entry(page, 'one').click();
    await texts(page).getByText('one').first().waitFor();
    expect(await titles(page)).toEqual(['two', 'one']);
    await say(page, 'still here');
    expect(await wholeAnswer(page, 2)).toBe('still here');
    expect(await second.stop()).toBe(0);
  });

  test('of a guest has what they were invited to, and nothing of who invited them', async () => {
    const host = await visit(url());
    for (const text of ['a secret', 'an invitation']) {
      await newConversation(host).click();
      await begin(host, 'echo');
      await say(host, text);
      await wholeAnswer(host, 1);
    }
    const guest = await visit(host.url());
    await texts(guest).getByText('an invitation').first().waitFor();
    await entry(guest, 'an invitation').waitFor();
    expect(await titles(guest)).toEqual(['an invitation']);
    await say(guest, 'thank you');
    expect(await wholeAnswer(host, 2)).toBe('thank you');
    expect(await titles(host)).toEqual(['an invitation', 'a secret']);
  });

  test('A53: runs no title as anything but text', async () => {
    const page = await visit(url());
    for (const text of xssPayloads.slice(0, 3)) {
      await newConversation(page).click();
      await begin(page, 'echo');
      await say(page, text);
      await wholeAnswer(page, 1);
      await current(page)
        .filter({ hasText: text.split('\n')[0] ?? '' })
        .waitFor();
    }
    expect(await page.evaluate('window.pwned')).toBeUndefined();
  });
});

describe('a long list', () => {
  test('comes in pages as one scrolls', async () => {
    const page = await visit(url(), profileOf(url(), secret));
    await entry(page, 'number 119').waitFor();
    const first = await titles(page);
    expect(first.length).toBeLessThan(120);
    expect(first[0]).toBe('number 119');
    // The end is always a little further, until all is there.
    const readToTheEnd = async (): Promise<boolean> => {
      await conversations(page).locator('.talk').last().scrollIntoViewIfNeeded();
      return (await conversations(page).getByRole('button').count()) === 0;
    };
    await expect.poll(readToTheEnd, patience).toBe(true);
    const all = await titles(page);
    expect(all.slice(0, 120)).toEqual(Array.from({ length: 120 }, (_, n) => `number ${119 - n}`));
  });

  test('is read on by the keyboard, which goes on at the first of what came', async () => {
    const page = await visit(url(), profileOf(url(), secret));
    const more = conversations(page).getByRole('button', { name: 'Older conversations' });
    await more.focus();
    await expect.poll(() => conversations(page).locator('.talk').count(), patience).toBeGreaterThan(50);
    await page.waitForFunction(() => document.activeElement?.matches('.talk'));
    expect(await page.locator('.talk:focus .talk-title').textContent()).toBe('number 69');
  });
});

describe('an old conversation', () => {
  const open = async (title: string): Promise<Page> => {
    const page = await visit(`${url()}/#t=${written.get(title)}`, profileOf(url(), secret));
    await page.getByRole('main', { name: /^Conversation/ }).waitFor();
    return page;
  };

  test('that has ended says so, in the list and where it is shown, and takes nothing more', async () => {
    const page = await open('goodbye');
    await page.getByText('This conversation has ended.').waitFor();
    await texts(page).getByText('goodbye').first().waitFor();
    expect(await field(page).isDisabled()).toBe(true);
    await page.getByRole('link', { name: 'Begin a new one' }).click();
    await page.getByRole('button', { name: 'Talk with the echo' }).waitFor();
  });

  test('whose beginning has expired says so, and goes on', async () => {
    const page = await open('not so long ago');
    await page.getByText('The beginning of this conversation has expired').waitFor();
    await texts(page).getByText('not so long ago').first().waitFor();
    expect(await texts(page).getByText('long ago', { exact: true }).count()).toBe(0);
    await say(page, 'hello again');
    expect(await wholeAnswer(page, 2)).not.toBe('');
  });

  test('of which nothing is left says so', async () => {
    const page = await visit(`${url()}/#t=${written.get('forgotten')}`, profileOf(url(), secret));
    // The file lets go of what is too old one by one: it is there without its words, or not at all.
    await page
      .getByRole('main')
      .getByText(/30 days/)
      .waitFor();
    expect(await texts(page).count()).toBe(0);
    await entry(page, 'number 119').waitFor();
    expect(await entry(page, 'forgotten').count()).toBe(0);
  });
});

describe('going from one conversation to another', () => {
  test('an answer goes on meanwhile, and is whole when it is shown again', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    await say(page, 'Count to 60');
    await waitForNumber(page, 5);
    await newConversation(page).click();
    await entry(page, 'Count to 60').getByText('answering').waitFor({ state: 'attached' });
    await begin(page, 'echo');
    await say(page, 'meanwhile');
    expect(await wholeAnswer(page, 1)).toBe('meanwhile');
    await expect.poll(() => entry(page, 'Count to 60').getByText('answering').count(), patience).toBe(0);
    await entry(page, 'Count to 60').click();
    expect(await wholeAnswer(page, 1)).toBe(countTo(60));
  });

  test('what was begun to be written waits where it was written', async () => {
    const page = await visit(url());
    await begin(page, 'echo');
    await say(page, 'here');
    await entry(page, 'here').waitFor();
    await field(page).fill('half a sent');
    await newConversation(page).click();
    await begin(page, 'echo');
    expect(await field(page).inputValue()).toBe('');
    await entry(page, 'here').click();
    await texts(page).getByText('here').first().waitFor();
    expect(await field(page).inputValue()).toBe('half a sent');
  });

  test('is done with the keyboard, and the focus goes along', async () => {
    const page = await visit(url());
    await begin(page, 'echo');
    await say(page, 'one');
    await entry(page, 'one').waitFor();
    await newConversation(page).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.id === 'main');
    await newConversation(page).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await current(page).filter({ hasText: 'one' }).waitFor();
    await page.waitForFunction(() => document.activeElement?.ariaLabel === 'Message');
  });

  test('on a phone the list is a drawer that closes by itself, and gives the focus back', async () => {
    const page = await visit(url(), { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await begin(page, 'echo');
    await say(page, 'from the pocket');
    await wholeAnswer(page, 1);
    expect(await conversations(page).isVisible()).toBe(false);
    const button = page.getByRole('button', { name: 'Conversations' });
    await button.click();
    await entry(page, 'from the pocket').waitFor();
    await page.keyboard.press('Escape');
    await conversations(page).waitFor({ state: 'hidden' });
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    await button.click();
    await newConversation(page).click();
    await page.getByRole('button', { name: 'Talk with the echo' }).waitFor();
    await button.click();
    await entry(page, 'from the pocket').click();
    await texts(page).getByText('from the pocket').first().waitFor();
    await conversations(page).waitFor({ state: 'hidden' });
    // A keyboard on the screen would cover what was just opened.
    await page.waitForFunction(() => document.activeElement?.id === 'main');
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
  });
});

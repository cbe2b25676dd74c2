// What every browser test of the demo needs: a Chromium, a server, pages in profiles of their own, and the words for
// what a person does there.

import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { chromiumArgs, findChromium } from '../../../scripts/chromium.ts';
import { type DemoChild, startDemo } from './demo-child.ts';

type ContextOptions = Parameters<Browser['newContext']>[0];

export interface DemoBrowser {
  /** Where the demo of this file is. */
  url(): string;
  /** Opens an address in a browser profile of its own. */
  visit(url: string, options?: ContextOptions): Promise<Page>;
  /** Opens an address in a browser of its own, which shares no process with the others. */
  visitElsewhere(url: string): Promise<Page>;
}

function launchChromium(): Promise<Browser> {
  const media = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  return chromium.launch({ executablePath: findChromium() ?? '', args: [...chromiumArgs, ...media] });
}

/** A browser and a demo for the tests of one file. After each test the page must not have thrown. */
export function demoBrowser(env?: Readonly<Record<string, string>>): DemoBrowser {
  const contexts: BrowserContext[] = [];
  const others: Browser[] = [];
  const complaints: string[] = [];
  let browser: Browser;
  let demo: DemoChild;

  beforeAll(async () => {
    [browser, demo] = await Promise.all([launchChromium(), startDemo(env)]);
  });

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    await Promise.all(others.splice(0).map((other) => other.close()));
    expect(complaints.splice(0)).toEqual([]);
  });

  afterAll(async () => {
    await browser.close();
    expect(await demo.stop()).toBe(0);
  });

  async function visitIn(own: Browser, url: string, options?: ContextOptions): Promise<Page> {
    const context = await own.newContext(options);
    contexts.push(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    await page.locator('#main').waitFor();
    return page;
  }

  return {
    url: () => demo.url,
    visit: (url, options) => visitIn(browser, url, options),
    async visitElsewhere(url) {
      const other = await launchChromium();
      others.push(other);
      return visitIn(other, url);
    },
  };
}

/** "1, 2, 3 … last." */
export const countTo = (last: number): string => `${Array.from({ length: last }, (_, index) => index + 1).join(', ')}.`;

/** The list of conversations: a landmark. */
export const conversations = (page: Page): Locator => page.getByRole('navigation', { name: 'Conversations' });

/** What a profile must have to be the user with this secret. */
export const profileOf = (url: string, secret: string): ContextOptions => ({
  storageState: { cookies: [], origins: [{ origin: url, localStorage: [{ name: 'haip-secret', value: secret }] }] },
});

export const field = (page: Page): Locator => page.getByRole('textbox', { name: 'Message' });
export const texts = (page: Page): Locator => page.getByTestId('message-text');
export const answer = (page: Page): Locator => page.locator('[data-from=agent]').last();

/** Begins a conversation. */
export async function begin(page: Page, tool: 'assistant' | 'echo'): Promise<void> {
  await page.getByRole('button', { name: `Talk with the ${tool}` }).click();
  await page.waitForURL(/#t=/);
}

export async function say(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press('Enter');
}

/** Waits until the newest of `count` answers is whole, and gives its text. */
export async function wholeAnswer(page: Page, count: number): Promise<string | null> {
  await page
    .locator('[data-from=agent][data-open=false]')
    .nth(count - 1)
    .waitFor();
  return answer(page).getByTestId('message-text').textContent();
}

/** Waits until a count that is being streamed has come to `number`. */
export async function waitForNumber(page: Page, number: number): Promise<void> {
  await answer(page).getByText(`${number}, `).waitFor();
}

/** A figure of the panel "The wire". */
export async function figure(page: Page, name: string): Promise<string | null> {
  return page
    .locator('.figure', { has: page.getByText(name, { exact: true }) })
    .locator('dd')
    .textContent();
}

/** Chooses the transport of that name, as a person does. */
export async function choose(page: Page, transport: string): Promise<void> {
  await page.getByRole('radio', { name: transport, exact: true }).click();
}

/** Waits until the connection uses that transport. */
export async function carriedBy(page: Page, transport: string): Promise<void> {
  await page.locator('.figure', { hasText: `Carried by${transport}` }).waitFor();
  await page.getByRole('radio', { name: transport, exact: true, checked: true }).waitFor();
}

import type { Page, WebSocketRoute } from 'playwright';
import { describe, expect, test } from 'vitest';
import { paleTexts } from './contrast.ts';
import { begin, countTo, demoBrowser, field, figure, say, waitForNumber, wholeAnswer } from './demo-page.ts';

const { url, visit } = demoBrowser();

interface HeldLink {
  /** Connections from now on open, and the server never hears of them. */
  hold(): void;
  /** Closes the connection for good, as a server that wants no more of this client. */
  end(): Promise<void>;
}

/** Puts the page's WebSockets in the hands of the test. Loads the page again: only new ones can be taken. */
async function holdLink(page: Page): Promise<HeldLink> {
  let isHeld = false;
  let newest: WebSocketRoute | undefined;
  await page.routeWebSocket(/\/haip\/websocket/, (socket) => {
    newest = socket;
    if (!isHeld) socket.connectToServer();
  });
  await page.reload();
  return {
    hold: () => {
      isHeld = true;
    },
    end: async () => newest?.close({ code: 1008 }),
  };
}

describe('without a mouse, without eyes, on a phone', () => {
  test('everything is done with the keyboard alone', async () => {
    const page = await visit(url());
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the conversation');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#t=/);
    await field(page).waitFor();
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Message');
    await page.keyboard.type('Count to 30');
    await page.keyboard.press('Enter');
    await waitForNumber(page, 5);
    for (let presses = 0; presses < 10; presses++) {
      await page.keyboard.press('Shift+Tab');
      if ((await page.evaluate('document.activeElement.textContent')) === 'Cut the connection') break;
    }
    await page.keyboard.press('Enter');
    expect(await wholeAnswer(page, 1)).toBe(countTo(30));
    expect(await figure(page, 'Connection lost')).toBe('once');
  });

  test('whatever takes the focus has a name, and an answer is announced once, when it is whole', async () => {
    const page = await visit(url());
    const nameless = async (): Promise<unknown[]> => {
      const session = await page.context().newCDPSession(page);
      const { nodes } = await session.send('Accessibility.getFullAXTree');
      const focusable = nodes.filter((node) =>
        node.properties?.some(({ name, value }) => name === 'focusable' && value.value),
      );
      expect(focusable.length).toBeGreaterThan(3);
      return focusable
        .filter((node) => !node.name?.value && node.role?.value !== 'main')
        .map((node) => node.role?.value);
    };
    expect(await nameless()).toEqual([]);
    await begin(page, 'assistant');
    await page.evaluate(`
      window.announced = [];
      const box = document.querySelector('[data-testid=announcer]');
      new MutationObserver(() => window.announced.push(box.textContent)).observe(box, { subtree: true, characterData: true, childList: true });
    `);
    await say(page, 'Count to 12');
    await wholeAnswer(page, 1);
    await page
      .getByTestId('announcer')
      .getByText(`Assistant: ${countTo(12)}`)
      .waitFor({ state: 'attached' });
    expect(await page.evaluate('window.announced')).toEqual(['Assistant is writing.', `Assistant: ${countTo(12)}`]);
    expect(
      await page
        .locator('[aria-live], [role=log]')
        .filter({ has: page.locator('.entry') })
        .count(),
    ).toBe(0);
    expect(await nameless()).toEqual([]);
  });

  test.each([
    [320, 568],
    [390, 844],
    [1280, 800],
  ])('at %i × %i nothing runs over the side', async (width, height) => {
    const page = await visit(url(), { viewport: { width, height }, reducedMotion: 'reduce' });
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate(overflow)).toBe(0);
    await begin(page, 'echo');
    await page.getByRole('heading', { name: 'Say something.' }).waitFor();
    expect(await page.locator('.conversation').evaluate((box) => box.scrollTop)).toBe(0);
    await say(page, 'w'.repeat(400));
    await wholeAnswer(page, 1);
    expect(await page.evaluate(overflow)).toBe(0);
    expect(await page.locator('.conversation').evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
    await page.getByRole('button', { name: '5 s' }).click();
    await page.locator('.pill[data-link=waiting]').waitFor();
    expect(await page.locator('#root').evaluate((root) => root.scrollWidth - root.clientWidth)).toBe(0);
    expect(await page.evaluate(overflow)).toBe(0);
  });

  test.each([320, 360, 390, 640])('at %i pixels the state of the connection is never cut off', async (width) => {
    const page = await visit(url(), { viewport: { width, height: 700 }, reducedMotion: 'reduce' });
    await begin(page, 'assistant');
    const link = await holdLink(page);
    const pill = page.locator('.pill');
    /** Waits for the state. Its words must fit in both themes, and be whole to a screen reader. */
    const fits = async (state: string, words: RegExp): Promise<void> => {
      for (const theme of ['light', 'dark']) {
        await page.evaluate((name) => document.documentElement.setAttribute('data-theme', name), theme);
        await page.locator(`.pill[data-link=${state}]`).waitFor();
        expect(await pill.evaluate((box) => box.scrollWidth - box.clientWidth), `${state}, ${theme}`).toBe(0);
      }
      expect(await pill.ariaSnapshot()).toMatch(words);
    };
    await page
      .getByRole('button', { name: 'Copy link' })
      .or(page.getByRole('button', { name: 'Share' }))
      .waitFor();
    await fits('connected', /Connected/);
    await page.getByRole('button', { name: '5 s' }).click();
    await fits('waiting', /Reconnecting/);
    link.hold();
    await fits('connecting', /Connecting…/);
    await link.end();
    await fits('disconnected', /Offline.*button "Connect"/s);
  });

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('in the %s theme, %i pixels wide, every text has a contrast of 4.5', async (colorScheme, width) => {
    const viewport = { width, height: 800 };
    const page = await visit(url(), { colorScheme, viewport, reducedMotion: 'reduce' });
    await page.locator('.pill[data-link=connected]').waitFor();
    expect(await paleTexts(page)).toEqual([]);
    await begin(page, 'assistant');
    await page.getByRole('heading', { name: 'What shall we talk about?' }).waitFor();
    expect(await paleTexts(page)).toEqual([]);
    await say(page, 'What is HAIP? Remind me to stretch');
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    await page.locator('.wire details').evaluate((panel) => panel.setAttribute('open', ''));
    expect(await paleTexts(page)).toEqual([]);
    await page.getByRole('button', { name: 'Deny' }).click();
    await wholeAnswer(page, 1);
    await page.getByRole('button', { name: '5 s' }).click();
    await page.locator('.pill[data-link=waiting]').waitFor();
    await say(page, 'Are you there?');
    await page.locator('[data-pending=true]').waitFor();
    expect(await paleTexts(page)).toEqual([]);
    if (width > 960) return;
    await page.getByRole('button', { name: 'Conversations' }).click();
    await page.getByRole('heading', { name: 'Today' }).waitFor();
    expect(await paleTexts(page)).toEqual([]);
  });

  test('a page has one heading of the first rank, on every screen', async () => {
    const page = await visit(url());
    const headings = () => page.getByRole('heading', { level: 1 }).allTextContents();
    expect(await headings()).toEqual(['Cut the connection. Keep the conversation.']);
    await begin(page, 'assistant');
    await page.getByRole('heading', { name: 'What shall we talk about?' }).waitFor();
    expect(await headings()).toHaveLength(1);
    await say(page, 'Count to 3');
    await page.getByRole('heading', { name: 'Conversation: Count to 3', level: 1 }).waitFor();
    expect(await headings()).toHaveLength(1);
  });

  test('the theme follows the system until one is chosen, and the choice is kept', async () => {
    const page = await visit(url(), { colorScheme: 'dark' });
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const dark = await background();
    await page.getByRole('button', { name: 'Use the light theme' }).click();
    const light = await background();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await background()).toBe(light);
  });

  test('a link to a conversation that is not there says so', async () => {
    const page = await visit(`${url()}/#t=nothing-here`);
    await page.getByRole('heading', { name: 'Nothing to join' }).waitFor();
    await page.getByRole('link', { name: 'Begin a new one' }).click();
    await page.getByRole('button', { name: 'Talk with the echo' }).waitFor();
  });
});

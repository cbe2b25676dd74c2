import { HAIPClient } from '@haip/client-core';
import { webSocket } from '@haip/transport-ws/client';
import { describe, expect, test } from 'vitest';
import { answer, begin, demoBrowser, field, say, texts, wholeAnswer } from './demo-page.ts';
import { xssPayloads } from './xss-payloads.ts';

const { url, visit } = demoBrowser();

describe('the echo', () => {
  test('text comes back as it was, also in several lines', async () => {
    const page = await visit(url());
    await begin(page, 'echo');
    await field(page).fill('one');
    await field(page).press('Shift+Enter');
    await field(page).pressSequentially('  two 🙂');
    await field(page).press('Enter');
    expect(await wholeAnswer(page, 1)).toBe('one\n  two 🙂');
  });

  test('a long text comes back whole; one that no server takes is said to be too long, and costs nothing else', async () => {
    const page = await visit(url());
    await begin(page, 'echo');
    const long = 'seven,'.repeat(5_000);
    await say(page, long);
    expect((await wholeAnswer(page, 1)) === long).toBe(true);
    await say(page, 'x'.repeat(300_000));
    await page.getByText('This is longer than the server takes, and was not stored.').waitFor();
    await say(page, 'and on');
    expect(await wholeAnswer(page, 2)).toBe('and on');
  });

  test('audio comes back', async () => {
    const page = await visit(url());
    await begin(page, 'echo');
    await page.getByRole('button', { name: 'Record audio' }).click();
    await page.getByRole('button', { name: 'Stop and send the recording' }).click();
    await page.locator('[data-from=agent] audio').waitFor();
    await page.locator('[data-from=me] audio').waitFor();
  });

  test('A53: no payload of text, author, type or link runs a script', async () => {
    const page = await visit(url());
    const blocked: string[] = [];
    page.on('console', (message) => message.text().includes('Content Security Policy') && blocked.push(message.text()));
    await begin(page, 'echo');
    const transaction = page.url().split('#t=')[1] ?? '';
    const attacker = new HAIPClient({
      transports: [webSocket({ url: `${url().replace('http', 'ws')}/haip/websocket` })],
    });
    attacker.authenticate(() => ({ token: 'attacker-attacker-attacker' }));
    await attacker.connect();
    const chat = await attacker.joinTransaction(transaction);
    for (const payload of xssPayloads) await chat.sendText(payload);
    for (const payload of xssPayloads.slice(0, 5)) {
      const writer = chat.stream({ author: payload });
      await writer.write(payload);
      await writer.end();
      await chat.send({ text: payload, html: payload });
    }
    const script = new TextEncoder().encode(xssPayloads[0]);
    await chat.sendAudio({ bytes: script, mime: 'text/html' });
    await chat.sendAudio({ bytes: script, mime: 'image/svg+xml' });
    await say(page, 'the last one');
    await page.locator('[data-from=agent]', { hasText: 'the last one' }).waitFor();
    attacker.disconnect();

    const shown = await texts(page).allTextContents();
    for (const payload of xssPayloads.slice(0, 35)) expect(shown).toContain(payload);
    const odd = 'script, img, svg, iframe, object, embed, link, style, base, meta, form, input, a, video, [onerror]';
    expect(await page.locator('.message-text').locator(odd).count()).toBe(0);
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    // The policy is the second wall: nothing even came as far as that.
    expect(blocked).toEqual([]);

    for (const payload of xssPayloads) {
      await page.goto(`${url()}/?q=${encodeURIComponent(payload)}#t=${payload}`);
      expect(await page.evaluate('window.pwned')).toBeUndefined();
    }
  });

  test('A53: no payload that the assistant repeats runs a script, formatting and all', async () => {
    const page = await visit(url());
    await begin(page, 'assistant');
    const payloads = xssPayloads.slice(-16).join(' ');
    await say(page, `repeat after me: ${payloads}`);
    expect(await wholeAnswer(page, 1)).toContain('<img src=x onerror=');
    expect(await answer(page).locator('img, svg, script, form, style').count()).toBe(0);
    expect(await page.evaluate('window.pwned')).toBeUndefined();
  });
});

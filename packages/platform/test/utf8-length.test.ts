import { expect, test, vi } from 'vitest';

test.each([
  ['Node', globalThis.Buffer],
  ['the web', undefined],
])('the length that %s tells is that of what is written, however long and in whatever script', async (_, Buffer) => {
  vi.resetModules();
  vi.stubGlobal('Buffer', Buffer);
  const { utf8Length } = await import('../src/utf8-length.ts');
  vi.unstubAllGlobals();
  for (const character of ['a', 'ж', '語', '🙂', 'a\u0301', '\u0000', '\uffff', 'aж語🙂']) {
    for (let times = 0; times <= 200; times++) {
      const text = character.repeat(times);
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
    }
  }
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { consoleLogger } from '../src/index.ts';

const lines: string[] = [];

beforeEach(() => {
  lines.length = 0;
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
      lines.push(parts.join(' '));
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('the console logger', () => {
  test('writes one JSON object a line with level, event and fields', () => {
    consoleLogger()('warn', 'connection-closed', { session: 's-1', code: 4409 });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { session: 's-1', code: 4409, level: 'warn', event: 'connection-closed' },
    ]);
  });

  test('writes from its lowest level on, warn unless told otherwise', () => {
    for (const logger of [consoleLogger(), consoleLogger('debug'), consoleLogger('error')]) {
      for (const level of ['debug', 'info', 'warn', 'error'] as const) logger(level, 'x');
    }
    expect(lines).toHaveLength(2 + 4 + 1);
  });

  test.each(['\n', '\r\n', '\u001b[31m', '\u009b2J', '\u0000', '\u007f', '\u2028', '\u2029'])(
    'A66: %j in a field, an error or the event neither breaks the line nor reaches the terminal',
    (control) => {
      const text = `a${control}{"level":"error"}`;
      consoleLogger()('warn', text, { id: text, [text]: 1, error: new Error(text) });
      const [line = '', ...more] = lines;
      expect(more).toEqual([]);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the controls are what is looked for
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      expect(JSON.parse(line)).toMatchObject({ level: 'warn', event: text, id: text, error: { message: text } });
    },
  );

  test('A66: a long text is cut, in a field and in an error', () => {
    consoleLogger()('warn', 'x', { id: 'y'.repeat(1_000_000), error: new Error('z'.repeat(1_000_000)) });
    expect(lines[0]?.length).toBeLessThan(20_000);
  });

  test('A66: a field cannot pass itself off as level or event', () => {
    consoleLogger()('warn', 'real', { level: 'debug', event: 'forged' });
    expect(JSON.parse(lines[0] ?? '')).toEqual({ level: 'warn', event: 'real' });
  });

  test('an error is written with its stack and its cause', () => {
    consoleLogger()('error', 'tool-failed', { error: new Error('outer', { cause: new TypeError('inner') }) });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      error: {
        name: 'Error',
        message: 'outer',
        stack: expect.stringContaining('logger.test'),
        cause: { name: 'TypeError', message: 'inner' },
      },
    });
  });

  test('what cannot be written as JSON costs its fields, never an exception', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const throwing = {
      toJSON: () => {
        throw new Error('no');
      },
    };
    for (const fields of [circle, { throwing }]) consoleLogger()('warn', 'odd', fields);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { level: 'warn', event: 'odd', fields: 'not writable as JSON' },
      { level: 'warn', event: 'odd', fields: 'not writable as JSON' },
    ]);
    expect(() => consoleLogger()('warn', 'odd', { huge: 10n ** 30n, nothing: undefined })).not.toThrow();
  });
});

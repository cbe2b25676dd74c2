import { afterEach, expect, test, vi } from 'vitest';
import { consoleWarnings } from '../src/index.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('warnings and errors go to the console with their fields, nothing below does', () => {
  const lines: unknown[][] = [];
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
      lines.push([level, ...parts]);
    });
  }
  for (const level of ['debug', 'info', 'warn', 'error'] as const) consoleWarnings(level, 'event', { code: 1 });
  expect(lines).toEqual([
    ['warn', 'event', { code: 1 }],
    ['error', 'event', { code: 1 }],
  ]);
});

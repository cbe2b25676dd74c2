import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readClose, writeCloseReason } from '../src/close-reason.ts';

test('a delay travels in the reason and is taken out of it again', () => {
  const written = writeCloseReason('restart', 1500);
  expect(written).toBe('retry-after-ms=1500 restart');
  expect(readClose(1012, written)).toEqual({ code: 1012, reason: 'restart', retryAfterMs: 1500 });
});

test('a reason without a delay stays as it is', () => {
  expect(readClose(1000, writeCloseReason('done'))).toEqual({ code: 1000, reason: 'done' });
  expect(readClose(1012, 'see retry-after-ms=5 there')).toEqual({ code: 1012, reason: 'see retry-after-ms=5 there' });
});

test('a reason is cut between characters to what a close frame holds', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.option(fc.nat(), { nil: undefined }),
      (reason, delay) => {
        const written = writeCloseReason(reason, delay);
        expect(Buffer.byteLength(written)).toBeLessThanOrEqual(123);
        expect(written.isWellFormed()).toBe(true);
        const end = readClose(1012, written);
        expect(end.retryAfterMs).toBe(delay === undefined || delay > 999_999_999 ? undefined : delay);
        if (end.retryAfterMs === delay) expect(reason.startsWith(end.reason)).toBe(true);
      },
    ),
  );
});

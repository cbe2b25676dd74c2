import { expect, test } from 'vitest';
import { onOneLine, readControl, readEnd, writeEnd } from '../src/close-line.ts';

test('an end is read as it was written, its delay in whole milliseconds', () => {
  expect(writeEnd({ code: 1012, reason: 'restart', retryAfterMs: 1500.4 })).toBe(
    '{"code":1012,"reason":"restart","retry_after_ms":1500}',
  );
  for (const end of [
    { code: 1000, reason: '' },
    { code: 4409, reason: 'a\u2028"b', retryAfterMs: 0 },
  ]) {
    expect(readEnd(writeEnd(end))).toEqual(end);
  }
});

test('an end without a proper code is a normal one, and a long reason is cut', () => {
  expect(readEnd('{}')).toEqual({ code: 1000, reason: '' });
  expect(readEnd('{"code":"1012","reason":7,"retry_after_ms":"1"}')).toEqual({ code: 1000, reason: '7' });
  expect(readEnd(JSON.stringify({ code: 1000, reason: 'x'.repeat(200) })).reason).toHaveLength(123);
});

test('a line with one known word is about the link, all others are not', () => {
  expect(readControl('{"close":{"code":1000}}')).toEqual(['close', '{"code":1000}']);
  expect(readControl('{"probe":true}')).toEqual(['probe', 'true']);
  for (const line of [
    '{"close":',
    '{"closed":{}}',
    ' {"close":{}}',
    '{"id":"close"}',
    `{"close":${' '.repeat(1024)}{}}`,
  ]) {
    expect(readControl(line)).toBeUndefined();
  }
});

test('a text stays as it is unless it has line breaks', () => {
  expect(onOneLine('a\u2028b')).toBe('a\u2028b');
  expect(onOneLine('{\r\n"a":\n1}')).toBe('{  "a": 1}');
});

import { expect, test } from 'vitest';
import { payloadsOf, readHint, wordPayload } from '../src/hints.ts';

const namesIn = (payload: string): readonly string[] => {
  const hint = readHint(payload);
  return hint?.kind === 'changed' ? hint.names : [];
};
const bytesOf = (payload: string): number => Buffer.byteLength(payload);

test('all names are told in as few payloads as hold them, none of 8,000 bytes or more', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `transaction-${i}-é`);
  const payloads = payloadsOf('changed', 'me', names);
  expect(payloads.flatMap(namesIn)).toEqual(names);
  expect(payloads.every((payload) => bytesOf(payload) < 8000)).toBe(true);
  const sum = payloads.reduce((bytes, payload) => bytes + bytesOf(payload), 0);
  expect(payloads.length).toBe(Math.ceil(sum / 7999));
  expect(payloadsOf('changed', 'me', [])).toEqual([]);
});

test('a name that fits into no payload is left out, and those beside it are told', () => {
  const payloads = payloadsOf('revoked', 'me', ['a', 'x'.repeat(8000), 'b']);
  expect(payloads.map(readHint)).toEqual([{ kind: 'revoked', by: 'me', names: ['a', 'b'] }]);
});

test('a word goes in a payload up to its very limit, and no further', () => {
  const most = Array.from({ length: 6100 }, (_, i) => i).findLast(
    (length) => wordPayload('me', 'topic', new Uint8Array(length)) !== undefined,
  );
  const body = new Uint8Array(most ?? 0).map((_, i) => i % 251);
  const payload = wordPayload('me', 'topic', body) ?? '';
  expect(bytesOf(payload)).toBeGreaterThan(7990);
  expect(bytesOf(payload)).toBeLessThan(8000);
  expect(readHint(payload)).toEqual({ kind: 'word', by: 'me', topic: 'topic', body: Buffer.from(body) });
});

test.each([
  '',
  'x',
  '{}',
  '[]',
  '["changed"]',
  '["changed",1,"t"]',
  '["word","me","t"]',
  '["parked","me","t","1"]',
  '["?","me","t"]',
])('a payload of somebody else is none: %s', (payload) => {
  expect(readHint(payload)).toBeUndefined();
});

import { expect, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import { readOptions } from '../src/options.ts';

const url = 'redis://127.0.0.1:6379';

test.each([
  [{ url: 'http://127.0.0.1' }, /url: expected redis:\/\/.*got http:/],
  [{ url: 'no url' }, /url: expected redis:\/\//],
  [{ url: `${url}/name` }, /url: expected a database number as path, got \/name/],
  [{ url, prefix: '' }, /prefix: expected 1 to 64/],
  [{ url, prefix: 'a:b' }, /prefix: expected 1 to 64.*"a:b"/],
  [{ url, prefix: 'a'.repeat(65) }, /prefix: expected/],
  [{ url, windowSize: 0 }, /windowSize: expected/],
  [{ url, windowTime: '3 weeks' as never }, /windowTime: expected/],
  [{ url, maxBytes: 1 }, /maxBytes: expected/],
  [{ url, keyTtlMs: 60_000 }, /keyTtlMs: expected/],
])('%j is a RangeError that names the option', async (options, message) => {
  await expect(redisHistory(options)).rejects.toThrow(RangeError);
  await expect(redisHistory(options)).rejects.toThrow(message);
});

test('a Redis is named by its address and database, never with a password', () => {
  const read = readOptions({ url: 'rediss://ann:secret@redis.example:7000/3' });
  expect([read.address, read.database, read.prefix]).toEqual(['redis.example:7000', 3, 'haip']);
  expect(() => readOptions({ url: 'wrong://ann:secret@redis.example' })).toThrow(/^((?!secret).)*$/);
});

import pg from 'pg';
import { expect, test } from 'vitest';
import { type PostgresHistoryOptions, postgresHistory } from '../src/index.ts';

const connectionString = 'postgres://nobody@127.0.0.1:1/nowhere';

test.each([
  [{}, /connectionString: expected either this or a pool/],
  [{ connectionString, pool: new pg.Pool() }, /connectionString: expected either this or a pool/],
  [{ connectionString: 'mysql://user:secret@host' }, /connectionString: expected postgres:/],
  [{ pool: {} }, /pool: expected a Pool of the package pg, got object/],
  [{ pool: new pg.Pool({ max: 2 }) }, /pool: expected one of 3 connections or more, got 2/],
  [{ connectionString, schema: '' }, /schema: expected/],
  [{ connectionString, schema: 'Haip' }, /schema: expected/],
  [{ connectionString, schema: 'a"; DROP SCHEMA b; --' }, /schema: expected/],
  [{ connectionString, schema: 'pg_haip' }, /schema: expected/],
  [{ connectionString, schema: 'x'.repeat(41) }, /schema: expected/],
  [{ connectionString, windowSize: 0 }, /windowSize: expected/],
  [{ connectionString, windowTime: '3 weeks' }, /windowTime: expected/],
  [{ connectionString, maxBytes: 1 }, /maxBytes: expected/],
  [{ connectionString, keyTtlMs: 1 }, /keyTtlMs: expected/],
])('A67: %j is a RangeError that names the option and tells no password', (options, message) => {
  const open = (): unknown => postgresHistory(options as unknown as PostgresHistoryOptions);
  expect(open).toThrow(RangeError);
  expect(open).toThrow(message);
  expect(open).not.toThrow(/secret/);
});

test('a pool of pg is taken as it is, and a store that was never used closes without a server', async () => {
  const stores = [
    postgresHistory({ pool: new pg.Pool({ connectionString }), schema: 'x'.repeat(40) }),
    postgresHistory({ connectionString }),
  ];
  for (const store of stores) {
    expect(store.supports).toEqual({ durable: true, shared: true });
    await store.close();
  }
});

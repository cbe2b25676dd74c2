// A store whose connection to the channel is lost: it listens again, and learns of what it missed. F29.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import pg from 'pg';
import { expect, test } from 'vitest';
import { type PostgresPool, postgresHistory } from '../src/index.ts';
import { sql, temporarySchemas, url } from './schemas.ts';

const nextSchema = temporarySchemas();

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(2);
}

/** A pool whose connections can be cut, and new ones held back. */
function shakyPool() {
  const application_name = `shaky-${randomUUID().slice(0, 8)}`;
  const pool = new pg.Pool({ connectionString: url, application_name });
  let gate: Promise<void> = Promise.resolve();
  const gated: PostgresPool = {
    connect: async () => {
      await gate;
      return pool.connect();
    },
    on: (event, listener) => pool.on(event, listener),
  };
  return {
    pool: gated,
    end: () => pool.end(),
    /** Cuts all connections. Gives the way to let new ones be made. */
    async cut(): Promise<() => void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      await sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
        application_name,
      ]);
      return resolve;
    },
  };
}

test('F29: whoever listens on a connection that is killed listens on another one, and is told what it missed meanwhile', async () => {
  const schema = nextSchema();
  const store = postgresHistory({ connectionString: url, schema });
  for (const transaction of ['quiet', 'before', 'meanwhile', 'after']) {
    const record = recordOf(transaction);
    await store.create(record, startOf(record));
  }
  // Long ago, as far as the other one can tell.
  await sql(`UPDATE "${schema}".logs SET last_at = last_at - 60000`);
  const shaky = shakyPool();
  const other = postgresHistory({ pool: shaky.pool, schema });
  const changed: string[] = [];
  const revoked: string[] = [];
  const words: string[] = [];
  other.watch(
    (transaction) => changed.push(transaction),
    (user) => revoked.push(user),
  );
  other.listen('node', (body) => words.push(Buffer.from(body).toString()));

  await store.append('before', [draft()]);
  await until(() => changed.includes('before'));
  await sql(`UPDATE "${schema}".logs SET last_at = last_at - 60000`);
  changed.length = 0;

  const reconnect = await shaky.cut();
  await store.append('meanwhile', [draft()]);
  await store.revoke('ann');
  reconnect();
  await until(() => changed.length > 0 && revoked.length > 0);
  expect([changed, revoked]).toEqual([['meanwhile'], ['ann']]);

  await store.append('after', [draft()]);
  await until(() => changed.includes('after'));
  await until(async () => {
    await store.notify('node', Buffer.from('a word'));
    return words.includes('a word');
  });
  await Promise.all([store.close(), other.close()]);
  await shaky.end();
});

test('what is asked over a connection that was killed goes over another one', async () => {
  const schema = nextSchema();
  const shaky = shakyPool();
  const store = postgresHistory({ pool: shaky.pool, schema });
  const record = recordOf('chat');
  await store.create(record, startOf(record));
  for (let cuts = 0; cuts < 5; cuts++) {
    (await shaky.cut())();
    const one = draft();
    await store.append('chat', [one]);
    expect(one.outcome).toEqual({ kind: 'stored', position: cuts + 2 });
    (await shaky.cut())();
    expect(await store.head('chat')).toMatchObject({ last: cuts + 2 });
  }
  await store.close();
  await shaky.end();
});

test('a store that nobody listens to keeps no connection, and one that stopped listening hears nothing more', async () => {
  const schema = nextSchema();
  const store = postgresHistory({ connectionString: url, schema });
  const shaky = shakyPool();
  const other = postgresHistory({ pool: shaky.pool, schema });
  const heard: string[] = [];
  const stopWatching = other.watch((transaction) => heard.push(transaction));
  const stopListening = other.listen('node', () => {});
  const listening = async (): Promise<number> =>
    (await sql(`SELECT FROM pg_stat_activity WHERE query = 'SELECT' AND application_name LIKE 'shaky-%'`)).length;
  await until(async () => (await listening()) === 1);
  stopWatching();
  stopListening();
  await until(async () => (await listening()) === 0);
  const record = recordOf('chat');
  await store.create(record, startOf(record));
  const again = other.watch((transaction) => heard.push(`again ${transaction}`));
  await until(() => heard.length > 0);
  expect(heard).toEqual(['again chat']);
  again();
  await Promise.all([store.close(), other.close()]);
  await shaky.end();
});

// The durable stores that whole servers are tried over: how one is opened, by its name and a place of its own.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryHistory } from '@haip/history-memory';
import { natsHistory } from '@haip/history-nats';
import { postgresHistory } from '@haip/history-postgres';
import { redisHistory } from '@haip/history-redis';
import { sqliteHistory } from '@haip/history-sqlite';
import type { HistoryStore } from '@haip/protocol';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { createClient } from '@redis/client';
import pg from 'pg';

interface DurableStore {
  /** A place nobody has used. */
  place(): string;
  open(place: string): HistoryStore | Promise<HistoryStore>;
  /** Removes what was kept there. */
  clear(place: string): void | Promise<void>;
}

const redisUrl = process.env['HAIP_REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const postgresUrl = process.env['HAIP_POSTGRES_URL'] || 'postgres://postgres@127.0.0.1:5432/test';
const natsServers = process.env['HAIP_NATS_URL'] ?? 'nats://127.0.0.1:4222';

/** Large enough that nothing of a run is trimmed: all of it is compared. */
const window = { windowSize: 1_000_000, windowTime: '1d', maxBytes: 2 ** 30 } as const;

export const durableStores = {
  sqlite: {
    place: () => mkdtempSync(join(tmpdir(), `haip-test-${randomUUID().slice(0, 8)}-`)),
    open: (place) => sqliteHistory({ path: join(place, 'chat.db'), ...window }),
    clear: (place) => rmSync(place, { recursive: true, force: true }),
  },
  redis: {
    place: () => `haip-test-${randomUUID().slice(0, 8)}`,
    open: (place) => redisHistory({ url: redisUrl, prefix: place, ...window }),
    clear: removeRedisKeys,
  },
  postgres: {
    place: () => `haip_test_${randomUUID().slice(0, 8)}`,
    open: (place) => postgresHistory({ connectionString: postgresUrl, schema: place, ...window }),
    clear: dropSchema,
  },
  nats: {
    place: () => `haip-test-${randomUUID().slice(0, 8)}`,
    open: (place) => natsHistory({ servers: natsServers, name: place, ...window }),
    clear: removeNatsStreams,
  },
} as const satisfies Record<string, DurableStore>;

async function removeRedisKeys(prefix: string): Promise<void> {
  const client = await createClient({ url: redisUrl }).connect();
  for await (const keys of client.scanIterator({ MATCH: `*${prefix}*`, COUNT: 1000 })) {
    if (keys.length > 0) await client.unlink(keys);
  }
  client.destroy();
}

/** PostgreSQL's code for it. */
const DEADLOCK = '40P01';

async function dropSchema(schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  // What a server that was killed had asked may still be underway, and lock tables in another order.
  for (let isGone = false; !isGone; ) {
    try {
      await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      isGone = true;
    } catch (error) {
      if ((error as { code?: string }).code !== DEADLOCK) throw error;
    }
  }
  await client.end();
}

async function removeNatsStreams(name: string): Promise<void> {
  const connection = await connect({ servers: natsServers });
  const { streams } = await jetstreamManager(connection);
  await Promise.all([name, `${name}_index`].map((stream) => streams.delete(stream)));
  await connection.close();
}

/** One that keeps nothing: to show that whoever looks would see it. */
const forgetful = {
  memory: { place: () => '', open: () => memoryHistory(window), clear: () => {} },
} as const satisfies Record<string, DurableStore>;

export const anyStore: Readonly<Record<AnyStoreName, DurableStore>> = { ...durableStores, ...forgetful };

export type StoreName = keyof typeof durableStores;
export type AnyStoreName = StoreName | keyof typeof forgetful;

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll } from 'vitest';

/** Where the tests' database is: vitest.config.ts says. */
export const url: string = process.env['HAIP_POSTGRES_URL'] ?? '';

export async function connectTo(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

/** Runs commands on a connection of its own. */
export async function sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[], at = url): Promise<Row[]> {
  const client = await connectTo(at);
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Gives names of schemas that are gone when the file's tests are over. */
export function temporarySchemas(): () => string {
  const file = randomUUID().slice(0, 8);
  const names: string[] = [];
  afterAll(async () => {
    for (const name of names) await sql(`DROP SCHEMA IF EXISTS "${name}" CASCADE`);
  });
  return () => {
    const name = `test_${file}_${names.length + 1}`;
    names.push(name);
    return name;
  };
}

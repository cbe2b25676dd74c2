// One connection for as long as it is borrowed: runs statements, several in one round trip where the client can.

import pg from 'pg';
import type { PostgresClient } from './options.ts';
import type { Statement } from './schema.ts';

/** A statement and what is bound to it; or commands as they are, of constants alone. */
export type Query = { readonly statement: Statement; readonly values: readonly unknown[] } | string;

/** After so long without an answer the connection is given up: a network that swallows packets says nothing. */
const ANSWER_WITHIN_MS = 15_000;

const BIGINT = 20;
/** Whole numbers as numbers: positions and times are far below 2^53. */
const types = {
  getTypeParser: (type: number): ((text: string) => unknown) =>
    type === BIGINT ? Number : pg.types.getTypeParser(type, 'text'),
};

export class Session {
  readonly #client: PostgresClient;
  readonly #isPipelined: boolean;

  constructor(client: PostgresClient) {
    this.#client = client;
    this.#isPipelined = (client as { pipeline?: unknown }).pipeline === true;
    // What was underway rejects anyway; without a listener the process would end.
    client.on('error', () => {});
  }

  async run<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#query({ statement, values })) as Row[];
  }

  /** Commands as they are, of constants alone. */
  async command(text: string): Promise<void> {
    await this.#query(text);
  }

  /** Leaves no transaction open. False when it cannot say so: the connection is to be ended then. */
  async rollback(): Promise<boolean> {
    try {
      await this.#query('ROLLBACK');
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Runs all in order, in one round trip where the client can, and leaves out what is undefined. Gives the rows of each.
   * Rejects with the first failure, once all are over.
   */
  async all(queries: readonly (Query | undefined)[]): Promise<unknown[][]> {
    const rows: unknown[][] = [];
    if (!this.#isPipelined) {
      for (const query of queries) rows.push(await this.#query(query));
      return rows;
    }
    for (const settled of await Promise.allSettled(queries.map((query) => this.#query(query)))) {
      if (settled.status === 'rejected') throw settled.reason;
      rows.push(settled.value);
    }
    return rows;
  }

  async #query(query: Query | undefined): Promise<unknown[]> {
    if (query === undefined) return [];
    const text = typeof query === 'string' ? { text: query } : { ...query.statement, values: [...query.values] };
    const result = await this.#client.query({ ...text, ...{ types, query_timeout: ANSWER_WITHIN_MS } });
    // Several commands in one have a result each.
    return Array.isArray(result) ? [] : result.rows;
  }
}

/** A statement about rows, which are bound first, as JSON. Nothing is asked about nothing. */
export function ask(statement: Statement, rows: readonly unknown[], ...values: readonly unknown[]): Query | undefined {
  return rows.length === 0 ? undefined : { statement, values: [JSON.stringify(rows), ...values] };
}

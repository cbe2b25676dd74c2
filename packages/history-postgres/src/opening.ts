// Makes sure, before the first use and on each new connection, that the store has in hand what it believes: tables of
// this version, a server that keeps what it acknowledged, and the same data as before. Spec: §3; invariant 12.

import type { Clock, Ids } from '@haip/protocol';
import { StandbyError } from './failures.ts';
import { migrate } from './migrations.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';
import type { Beat, StoreTime } from './store-time.ts';

export interface OpeningOptions {
  readonly schema: Schema;
  readonly time: StoreTime;
  /** Told instead of the database's wall clock, in tests. */
  readonly clock: Clock | undefined;
  readonly ids: Ids;
}

/** What the server says of itself. */
interface ServerState {
  readonly isStandby: boolean;
  readonly encoding: string;
  readonly synchronousCommit: string;
  readonly fsync: string;
  readonly wallAt: number;
}

/**
 * No fence of a lost log is given again: each grant that was lost with its commit had one, and there were fewer than this.
 */
const FENCES_APART = 1_000_000;
/** Whatever the role's default is: of two that write at once the second one is to see what the first one wrote. */
const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED';

export class Opening {
  readonly #options: OpeningOptions;
  readonly #sql: ReturnType<typeof statements>;
  #opened: Promise<void> | undefined;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#sql = statements(options.schema);
  }

  /** Admits a new connection. Rejects when it is to be ended. */
  async admit(session: Session): Promise<void> {
    const server = await this.#serverState(session);
    if (server.isStandby) throw new StandbyError();
    const timeline = await timelineOf(session);
    this.#opened ??= this.#open(session, server, timeline).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    await this.#opened;
    await this.#stayTrue(session, timeline);
  }

  /** Writes a beat, and learns from the last one. */
  async beat(session: Session): Promise<void> {
    const { time, clock } = this.#options;
    const [last] = await session.run<Beat & { databaseAt: number }>(this.#sql.lastBeat);
    if (last !== undefined) await this.#note(session, time.next(last, clock?.now() ?? last.databaseAt));
  }

  async #open(session: Session, server: ServerState, timeline: string): Promise<void> {
    checkServer(server);
    const { schema, ids, clock, time } = this.#options;
    const wallAt = clock?.now() ?? server.wallAt;
    await migrate(session, schema, () => ({ epoch: ids(), timeline, wallAt }));
    const [last] = await session.run<Beat>(this.#sql.lastBeat);
    if (last === undefined) throw new Error(`schema: the table meta of "${schema.name}" is empty`);
    await this.#note(session, time.begin(last, wallAt));
  }

  async #note(session: Session, { storeAt, wallAt, by }: Beat): Promise<void> {
    await session.all([BEGIN, { statement: this.#sql.beat, values: [storeAt, wallAt, by] }, 'COMMIT']);
  }

  /**
   * Another cluster, or another timeline of this one, may lack what was acknowledged before: the epoch is renewed, and
   * leases are as if nobody had had one.
   */
  async #stayTrue(session: Session, timeline: string): Promise<void> {
    const [meta] = await session.run<{ timeline: string }>(this.#sql.timeline);
    if (meta?.timeline === timeline || timeline === '') return;
    const values = [this.#options.ids(), timeline, FENCES_APART];
    await session.all([BEGIN, { statement: this.#sql.renewEpoch, values }, 'COMMIT']);
  }

  async #serverState(session: Session): Promise<ServerState> {
    const [state] = await session.run<ServerState>(this.#sql.serverState);
    return state as ServerState;
  }
}

/**
 * Which data these are: the cluster, and how often another server took it over. Empty where that may not be asked.
 * The name of the current log file tells it at once; the control file only after the next checkpoint.
 */
async function timelineOf(session: Session): Promise<string> {
  try {
    const [row] = await session.run<{ timeline: string }>({
      name: 'haip_timeline',
      text: `SELECT system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) AS timeline
        FROM pg_control_system()`,
    });
    return row?.timeline ?? '';
  } catch (error) {
    const { code } = error as { code?: unknown };
    // Not permitted, or not there on servers that only resemble PostgreSQL.
    if (code === '42501' || code === '42883' || code === '0A000') return '';
    throw error;
  }
}

/** @throws Error for a server that may lose what it acknowledged, or has no place for every character. */
function checkServer({ encoding, synchronousCommit, fsync }: ServerState): void {
  if (encoding !== 'UTF8') throw new Error(`database: expected one with the encoding UTF8, got ${encoding}`);
  for (const [setting, value] of [
    ['synchronous_commit', synchronousCommit],
    ['fsync', fsync],
  ] as const) {
    if (value === 'off')
      throw new Error(`database: ${setting} is off, so what was acknowledged may be lost: set it on`);
  }
}

function statements(schema: Schema) {
  const s = schema.quoted;
  const wallAt = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';
  return {
    serverState: schema.statement(
      'server_state',
      `SELECT pg_is_in_recovery() AS "isStandby", current_setting('server_encoding') AS encoding,
         current_setting('synchronous_commit') AS "synchronousCommit", current_setting('fsync') AS fsync,
         ${wallAt} AS "wallAt"`,
    ),
    timeline: schema.statement('timeline', `SELECT timeline FROM ${s}.meta`),
    lastBeat: schema.statement(
      'last_beat',
      `SELECT store_at AS "storeAt", wall_at AS "wallAt", beat_by AS by, ${wallAt} AS "databaseAt" FROM ${s}.meta`,
    ),
    // The time of two stores that write at once is that of the one ahead.
    beat: schema.statement(
      'beat',
      `UPDATE ${s}.meta SET store_at = greatest(store_at, $1), wall_at = $2, beat_by = $3`,
    ),
    renewEpoch: schema.statement(
      'renew_epoch',
      `WITH renewed AS (UPDATE ${s}.meta SET epoch = $1, timeline = $2 WHERE timeline <> $2 RETURNING 1)
       UPDATE ${s}.logs SET fence = fence + $3, holder = NULL, lease_until = 0, lease_record = NULL
       WHERE EXISTS (SELECT FROM renewed)`,
    ),
  };
}

// Commits groups of works, each in one transaction and two round trips: lock the logs and look up what bears on the works;
// judge, and write what was decided. What a log's row says is true while its lock is held, so positions are dense and
// append order is commit order. Spec: §3, §4.

import type { Answer, CompactWork, WindowLimits, Work } from '@haip/history-engine';
import { toColumn } from './column-text.ts';
import type { Database } from './database.ts';
import { isCollision } from './failures.ts';
import { judgeWorks } from './judge-works.ts';
import { LogChanges } from './log-changes.ts';
import { LogLookup } from './log-lookup.ts';
import { LOCK_CLASS } from './migrations.ts';
import type { Schema } from './schema.ts';
import type { Query, Session } from './session.ts';
import type { StoreTime } from './store-time.ts';

export interface LogWriterOptions {
  readonly database: Database;
  readonly schema: Schema;
  readonly limits: WindowLimits;
  readonly time: StoreTime;
  /** Tells others what was committed, over the connection that did it. */
  tell(session: Session, changed: readonly string[], revoked: readonly string[]): Promise<void>;
}

interface Done {
  readonly answers: Answer[];
  /** Transactions that something was appended to. */
  readonly changed: string[];
}

/** How often a transaction is begun anew that the server rolled back because it met another one. */
const ATTEMPTS = 3;

export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #lookup: LogLookup;
  readonly #changes: LogChanges;
  readonly #sql: ReturnType<typeof statements>;
  #telling: Promise<unknown> = Promise.resolve();

  constructor(options: LogWriterOptions) {
    const { schema, limits } = options;
    this.#options = options;
    this.#lookup = new LogLookup(schema, limits);
    this.#changes = new LogChanges(schema);
    this.#sql = statements(schema);
  }

  /** Does all of it or nothing. A failure after the last word was sent leaves that unknown. */
  commit(works: readonly Work[]): Promise<Answer[]> {
    const { database, tell } = this.#options;
    const answered = Promise.withResolvers<Answer[]>();
    const revoked = works.flatMap((work) => (work.kind === 'revoke' ? [work.user] : []));
    let isSent = false;
    const sending = (): void => {
      isSent = true;
    };
    const working = database.use(
      async (session) => {
        const { answers, changed } = await this.#tryTransact(session, works, revoked, sending);
        answered.resolve(answers);
        await tell(session, changed, revoked);
      },
      () => !isSent,
    );
    // Nobody waits until others are told; who is not told finds out in time.
    this.#telling = Promise.all([this.#telling, working.catch(answered.reject)]);
    return answered.promise;
  }

  /** Resolves once others were told of all that was committed. */
  async idle(): Promise<void> {
    await this.#telling;
  }

  async #tryTransact(
    session: Session,
    works: readonly Work[],
    revoked: readonly string[],
    sending: () => void,
  ): Promise<Done> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#transact(session, works, revoked, sending);
      } catch (error) {
        if (!isCollision(error) || attempt === ATTEMPTS) throw error;
        await session.rollback();
      }
    }
  }

  async #transact(
    session: Session,
    works: readonly Work[],
    revoked: readonly string[],
    sending: () => void,
  ): Promise<Done> {
    const { limits, time } = this.#options;
    const [early, late] = compactions(works);
    const found = await this.#lookup.begin(session, works, early, time.now());
    const now = time.now();
    const answers = judgeWorks(works, found, now);
    const written = [...found.logs].filter(([, { stored }]) => stored.length > 0);
    const logs = written.map(([, log]) => log);
    await this.#lookup.trim(session, logs, now);
    for (const log of logs) log.tidy(limits, now);
    sending();
    await session.all([
      ...this.#changes.queries([...found.logs.values()], now, now - limits.keyTtlMs),
      this.#lookup.compact(late),
      ...this.#revoke(revoked, now),
      'COMMIT',
    ]);
    return { answers, changed: written.map(([transaction]) => transaction) };
  }

  /** One after another, over all stores: who asks from the newest one on must not miss one that was begun before it. */
  #revoke(users: readonly string[], now: number): Query[] {
    if (users.length === 0) return [];
    return [
      { statement: this.#sql.lockRevocations, values: [LOCK_CLASS + 1, this.#options.schema.name] },
      { statement: this.#sql.revoke, values: [JSON.stringify(users.map(toColumn)), now] },
    ];
  }
}

/** Those that may be done before the rest, and those whose message is written in the same group. */
function compactions(works: readonly Work[]): [early: CompactWork[], late: CompactWork[]] {
  const compacts = works.filter((work) => work.kind === 'compact');
  if (compacts.length === 0) return [[], []];
  const writtenTo = new Set(
    works.flatMap((work) => {
      if (work.kind !== 'append') return [];
      return work.rows.map(({ subject }) => JSON.stringify([work.transaction, subject?.key]));
    }),
  );
  const isLate = ({ transaction, stream }: CompactWork): boolean =>
    writtenTo.has(JSON.stringify([transaction, stream]));
  return [compacts.filter((work) => !isLate(work)), compacts.filter(isLate)];
}

function statements(schema: Schema) {
  const s = schema.quoted;
  return {
    lockRevocations: schema.statement('lock_revocations', 'SELECT pg_advisory_xact_lock($1, hashtext($2))'),
    revoke: schema.statement(
      'revoke',
      `INSERT INTO ${s}.revocations (revoked, at)
       SELECT revoked, $2 FROM json_array_elements_text($1) WITH ORDINALITY AS w (revoked, n) ORDER BY n`,
    ),
  };
}

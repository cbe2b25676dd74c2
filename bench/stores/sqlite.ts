// The store in one file beside a loop over `node:sqlite` that does in one commit what keeps a message: its entry, its id,
// and where its log stands.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteHistory } from '@haip/history-sqlite';
import type { Draft } from '@haip/protocol';
import type { BareLoop, OpenStore } from '../opened-store.ts';

export const open: OpenStore = (logs) => {
  const folder = mkdtempSync(join(tmpdir(), 'haip-bench-'));
  const path = join(folder, 'store.db');
  const store = sqliteHistory({ path, windowSize: 1_000_000, maxBytes: 2 ** 30 });
  const file = new DatabaseSync(path, { readOnly: true });
  const db = new DatabaseSync(join(folder, 'bare.db'));
  const { version } = db.prepare('SELECT sqlite_version() AS version').get() as { version: string };
  const numberOf = (pragma: string): number => Number(file.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
  return {
    what: `SQLite ${version}`,
    store,
    bare: bareLoop(db, logs),
    engineMicros: () => 0,
    storedBytes: () => (numberOf('page_count') - numberOf('freelist_count')) * numberOf('page_size'),
    end() {
      file.close();
      db.close();
      rmSync(folder, { recursive: true });
    },
  };
};

function bareLoop(db: DatabaseSync, logs: number): BareLoop {
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE logs (serial INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
    CREATE TABLE entries (serial INTEGER, position INTEGER, size INTEGER, body TEXT, PRIMARY KEY (serial, position))
      WITHOUT ROWID, STRICT;
    CREATE TABLE keys (serial INTEGER, author TEXT, id TEXT, position INTEGER, digest TEXT,
      PRIMARY KEY (serial, author, id)) WITHOUT ROWID, STRICT`);
  const insertLog = db.prepare('INSERT INTO logs VALUES (?, 0)');
  for (let log = 0; log <= logs; log++) insertLog.run(log);
  const sql = {
    next: db.prepare('UPDATE logs SET last = last + 1 WHERE serial = ? RETURNING last'),
    entry: db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?)'),
    key: db.prepare('INSERT INTO keys VALUES (?, ?, ?, ?, ?)'),
    read: db.prepare('SELECT * FROM entries WHERE serial = ? AND position >= ? ORDER BY position LIMIT 200'),
  };
  const append = (log: number, drafts: readonly Draft[]): void => {
    db.exec('BEGIN IMMEDIATE');
    for (const { user, digest, size, ...body } of drafts) {
      const last = Number(sql.next.get(log)?.['last']);
      sql.entry.run(log, last, size, JSON.stringify({ user, ...body }));
      sql.key.run(log, user ?? '', body.id, last, digest);
    }
    db.exec('COMMIT');
  };
  return {
    append: (log, draft) => append(log, [draft]),
    fill: (drafts) => append(logs, drafts),
    read: (from) => sql.read.all(logs, from).map(({ body }) => JSON.parse(String(body))).length,
  };
}

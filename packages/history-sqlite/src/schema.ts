// The tables, and how a file from an earlier version gets them. A file from a later version is left alone.

import type { DatabaseSync } from 'node:sqlite';

/** Marks a file as ours: "HAIP". */
const APPLICATION_ID = 0x48414950;

/** Each brings a file from the version that is its index to the next one. Never changed once released; only added to. */
const migrations: readonly string[] = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;

   -- What outlives the messages, written once.
   CREATE TABLE transactions (
     serial INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     starter TEXT NOT NULL,
     reference TEXT NOT NULL,
     record TEXT NOT NULL,
     UNIQUE (starter, reference)
   ) STRICT;

   -- Where each log stands: a small row, written with every append.
   CREATE TABLE logs (
     serial INTEGER PRIMARY KEY,
     first INTEGER NOT NULL,
     last INTEGER NOT NULL,
     messages INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     front_at INTEGER,
     last_at INTEGER NOT NULL,
     tidied_at INTEGER NOT NULL DEFAULT 0,
     ended_at INTEGER,
     fence INTEGER NOT NULL DEFAULT 0,
     holder TEXT,
     lease_until INTEGER NOT NULL DEFAULT 0,
     lease_record TEXT
   ) STRICT;

   CREATE TABLE entries (
     serial INTEGER NOT NULL,
     position INTEGER NOT NULL,
     at INTEGER NOT NULL,
     size INTEGER NOT NULL,
     stream TEXT,
     body TEXT NOT NULL,
     bytes BLOB,
     PRIMARY KEY (serial, position)
   ) WITHOUT ROWID, STRICT;

   CREATE TABLE keys (
     serial INTEGER NOT NULL,
     author TEXT NOT NULL,
     id TEXT NOT NULL,
     position INTEGER NOT NULL,
     digest TEXT NOT NULL,
     at INTEGER NOT NULL,
     PRIMARY KEY (serial, author, id)
   ) WITHOUT ROWID, STRICT;

   CREATE TABLE subjects (
     serial INTEGER NOT NULL,
     key TEXT NOT NULL,
     owner TEXT,
     state TEXT NOT NULL,
     is_stream INTEGER NOT NULL,
     inner_key TEXT,
     last INTEGER NOT NULL,
     at INTEGER NOT NULL,
     entries INTEGER NOT NULL,
     PRIMARY KEY (serial, key)
   ) WITHOUT ROWID, STRICT;

   CREATE TABLE members (
     user TEXT NOT NULL,
     serial INTEGER NOT NULL,
     PRIMARY KEY (user, serial)
   ) WITHOUT ROWID, STRICT;
   CREATE INDEX members_of ON members (serial);

   CREATE TABLE revocations (serial INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, at INTEGER NOT NULL) STRICT;`,
];

const schemaVersion: number = migrations.length;

function numberOf(db: DatabaseSync, pragma: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}

/**
 * Brings the file to this version, in one step.
 * @throws Error for a file of a later version, or one that is not a history.
 */
export function migrate(db: DatabaseSync, path: string): void {
  const version = numberOf(db, 'user_version');
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (!isEmpty && numberOf(db, 'application_id') !== APPLICATION_ID) {
    throw new Error(`path: expected a history of HAIP or no file, got another SQLite database: ${path}`);
  }
  if (version > schemaVersion) {
    throw new Error(
      `path: ${path} has schema ${version}, this version of @haip/history-sqlite knows up to ${schemaVersion}: use a later one`,
    );
  }
  if (version === schemaVersion) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const migration of migrations.slice(version)) db.exec(migration);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${schemaVersion}; COMMIT`);
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

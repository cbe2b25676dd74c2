// Where PostgreSQL is: a server that answers, and the programs to start one.
import { existsSync, globSync } from 'node:fs';
import { dirname } from 'node:path';
import { findProgram } from './programs.ts';
import { answers } from './services.ts';

/** The URL of a database of a server that answers, or undefined: HAIP_POSTGRES_URL, or the one of this machine. */
export async function findPostgres(): Promise<string | undefined> {
  const url = process.env['HAIP_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test';
  return (await answers(url, 5432)) ? url : undefined;
}

/** The folder of `initdb`, `pg_ctl` and `pg_basebackup`, or undefined: that of INITDB_PATH, of Debian's newest, or on PATH. */
export function findPostgresPrograms(): string | undefined {
  const versions = globSync('/usr/lib/postgresql/*/bin/initdb').sort((one, other) => versionOf(other) - versionOf(one));
  const initdb = findProgram({ variable: 'INITDB_PATH', usualPlaces: versions, names: ['initdb'] });
  const folder = initdb && dirname(initdb);
  return folder && existsSync(`${folder}/pg_ctl`) ? folder : undefined;
}

function versionOf(path: string): number {
  return Number(/\/(\d+)\/bin/.exec(path)?.[1]);
}

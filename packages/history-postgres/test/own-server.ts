// A PostgreSQL of a test's own, in a folder that is gone afterwards: to be stopped, started, copied and promoted.

import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);
const programs = process.env['HAIP_POSTGRES_PROGRAMS'] ?? '';
const isRoot = process.getuid?.() === 0;

export interface OwnServer {
  /** Its database. */
  readonly url: string;
  start(): Promise<void>;
  /** `immediate` is like a crash: nothing is finished, nothing is said. */
  stop(how: 'immediate' | 'fast'): Promise<void>;
  /** Another server that follows this one. */
  follower(): Promise<OwnServer>;
  /** Makes a follower a server of its own. */
  promote(): Promise<void>;
}

/** Starts one, with such settings. It is stopped and removed when the test is over. */
export async function ownServer(settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
  const folder = await newFolder();
  await program(
    'initdb',
    '--pgdata',
    folder,
    '--username',
    'postgres',
    '--auth',
    'trust',
    '--encoding',
    'UTF8',
    '--locale',
    'C',
  );
  return serve(folder, settings);
}

async function serve(folder: string, settings: Readonly<Record<string, string>>): Promise<OwnServer> {
  const port = await freePort();
  const all = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings };
  const options = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`);
  const control = (...what: string[]): Promise<void> => program('pg_ctl', '--pgdata', folder, '--wait', ...what);
  const server: OwnServer = {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    start: () => control('--log', join(folder, 'log'), '--options', options.join(' '), 'start'),
    stop: (how) => control('--mode', how, 'stop'),
    async follower() {
      const copy = await newFolder();
      const from = ['--host', '127.0.0.1', '--port', String(port), '--username', 'postgres'];
      await program('pg_basebackup', ...from, '--pgdata', copy, '--checkpoint', 'fast', '--write-recovery-conf');
      return serve(copy, settings);
    },
    promote: () => control('promote'),
  };
  onTestFinished(async () => {
    // It may be stopped already.
    await server.stop('immediate').catch(() => {});
    rmSync(folder, { recursive: true });
  });
  await server.start();
  return server;
}

/** A folder of its own, as whoever the server runs as: it refuses to run as root. */
async function newFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'haip-postgres-'));
  if (isRoot) {
    const [user, group] = await Promise.all(
      ['-u', '-g'].map(async (what) => Number((await run('id', [what, 'postgres'])).stdout)),
    );
    chownSync(folder, user ?? 0, group ?? 0);
  }
  return folder;
}

async function program(name: string, ...args: string[]): Promise<void> {
  const path = join(programs, name);
  const [file, ...rest] = isRoot ? ['runuser', '-u', 'postgres', '--', path, ...args] : [path, ...args];
  // What it says is read nowhere: a server that it starts would keep a pipe open.
  await new Promise<void>((resolve, reject) => {
    const child = execFile(file as string, rest, { cwd: '/' }, (error, _, stderr) => {
      if (error) reject(new Error(`${name}: ${stderr}`, { cause: error }));
    });
    child.once('exit', (code) => (code === 0 ? resolve() : undefined));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

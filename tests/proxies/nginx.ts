// A real nginx before a server, with a configuration of the test's, gone when the test is over. What it writes is kept
// in a folder of its own; nothing of the machine's nginx is used but the program.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { findNginx } from '../../scripts/nginx.ts';

export interface Nginx {
  readonly port: number;
  readonly origin: string;
}

/**
 * Starts nginx with `http` as its `http` block. In it, `listen 80` becomes a free port of the loopback address, and
 * `127.0.0.1:8080` the server's.
 */
export async function nginxBefore(server: { readonly port: number }, http: string): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'haip-nginx-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const block = http
    .replaceAll('listen 80', `listen 127.0.0.1:${port}`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${server.port}`);
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, wholeConfig(folder, block));
  const child = spawn(findNginx() ?? 'nginx', ['-p', folder, '-c', config, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => stop(child));
  await listening(child, port);
  return { port, origin: `http://127.0.0.1:${port}` };
}

/** One process in the foreground, as whoever runs the test, which writes into its folder only. */
function wholeConfig(folder: string, http: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const folders = kinds.map((kind) => `  ${kind}_temp_path ${folder}/${kind};`).join('\n');
  return `daemon off;
master_process off;
pid ${folder}/pid;
events {}
http {
  access_log ${folder}/access.log;
${folders}
${http}
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Resolves once it takes connections. @throws Error with what it said when it ended instead. */
async function listening(child: ChildProcess, port: number): Promise<void> {
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  const takes = () =>
    new Promise<boolean>((tell) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => tell(true)).once('error', () => tell(false));
      socket.once('connect', () => socket.destroy());
    });
  while (!(await takes())) {
    if (child.exitCode !== null) throw new Error(`nginx did not start: ${said}`);
    await sleep(5);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

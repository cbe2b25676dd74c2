// A Redis of a test's own: on a free port, in a folder that is gone afterwards, and ended by its pid.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@redis/client';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

export const logged = {
  never: ['--appendonly', 'no'],
  everySecond: ['--appendonly', 'yes', '--appendfsync', 'everysec'],
  always: ['--appendonly', 'yes', '--appendfsync', 'always'],
} as const;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export class OwnRedis {
  readonly url: string;
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'haip-redis-'));
  #args: readonly string[];
  #child: ChildProcess | undefined;

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#args = args;
  }

  /** Starts one for the test that runs. */
  static async start(args: readonly string[]): Promise<OwnRedis> {
    const redis = new OwnRedis(await freePort(), args);
    onTestFinished(async () => {
      await redis.kill();
      rmSync(redis.#folder, { recursive: true });
    });
    await redis.start();
    return redis;
  }

  /** Starts it on what it left in its folder. */
  async start(args: readonly string[] = this.#args): Promise<void> {
    this.#args = args;
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', ''];
    const child = spawn(process.env['REDIS_SERVER_PATH'] ?? 'redis-server', [...own, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('Ready to accept connections')) break;
    }
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    child.stdout.resume();
  }

  /** As by a crash. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Resolves when what was written is in the log: with `everySecond` that may take one, or two. */
  async flushed(): Promise<void> {
    await eventually('the log is written', async () =>
      /aof_buffer_length:0\r/.test(String(await this.command('INFO', 'persistence'))),
    );
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Sends one command on a connection of its own. */
  async command(...command: string[]): Promise<unknown> {
    return commandTo(this.url, command);
  }
}

export async function commandTo(url: string, command: readonly string[]): Promise<unknown> {
  const client = createClient({ url });
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

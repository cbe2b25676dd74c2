// The demo's server as a process of its own, as people start it, and a TCP line to it that can be torn.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../server/main.ts', import.meta.url));

export interface DemoChild {
  readonly url: string;
  /** Asks it to stop; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** Ends it as a power cut would; resolves when it is gone. */
  kill(): Promise<void>;
}

/** A folder that is gone when this process is. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'haip-demo-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Starts the demo on a free port, with a file of its own unless HAIP_DB names one. Rejects with what it printed when it
 * ends before it listens.
 */
export async function startDemo(env: Readonly<Record<string, string>> = {}): Promise<DemoChild> {
  const inherited = { ...process.env };
  for (const name of [
    'OPENAI_API_KEY',
    'OPENAI_BASE_URL',
    'OPENAI_MODEL',
    'HOST',
    'HAIP_DB',
    'HAIP_REDIS_URL',
    'NODE_OPTIONS',
  ])
    delete inherited[name];
  const child: ChildProcess = spawn(process.execPath, ['--conditions=@haip/source', main], {
    env: { ...inherited, PORT: '0', HAIP_DB: env['HAIP_DB'] ?? join(temporaryFolder(), 'conversations.db'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const complaints: string[] = [];
  child.stderr?.on('data', (bytes: Buffer) => complaints.push(String(bytes)));
  const url = await new Promise<string>((resolve, reject) => {
    if (child.stdout)
      createInterface(child.stdout).on('line', (line) => {
        const address = /http:\/\/\S+/.exec(line)?.[0];
        if (address) resolve(address);
      });
    void exited.then((code) => reject(new Error(`the demo ended with ${code}: ${complaints.join('')}`)));
  });
  return {
    url,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

export interface TornLine {
  readonly url: string;
  /** Resets every connection, in the middle of whatever it carries. */
  tear(): void;
  /** From now on what goes this way on the connections that are there is lost, and neither end learns of it. */
  swallow(direction: 'up' | 'down'): void;
  close(): void;
}

/** A line to `target` that passes bytes through until it is torn; without WebSockets, it resets whoever asks for one. */
export async function tearableLine(target: string, { webSockets = true } = {}): Promise<TornLine> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const lines = new Set<{ readonly near: Socket; readonly far: Socket }>();
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  };
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    if (!webSockets) near.on('data', (bytes) => /^upgrade: websocket/im.test(String(bytes)) && near.resetAndDestroy());
    keep(near, far);
    keep(far, near);
    lines.add({ near, far });
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const tear = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    tear,
    swallow(direction) {
      for (const { near, far } of lines) {
        const [from, to] = direction === 'up' ? [near, far] : [far, near];
        from.unpipe(to);
        from.resume();
      }
    },
    close: () => {
      tear();
      server.close();
    },
  };
}

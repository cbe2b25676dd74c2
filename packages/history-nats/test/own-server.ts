// A nats-server of a test's own, to be stopped, killed and started again. Ended when the file's tests are over.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll } from 'vitest';

const program = process.env['NATS_SERVER_PATH'] ?? 'nats-server';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export class OwnServer {
  static readonly #started: OwnServer[] = [];
  static {
    // Here, where the file is read: asked for in the middle of a test it would never be called.
    afterAll(() => Promise.all(OwnServer.#started.splice(0).map((server) => server.#remove())));
  }
  readonly servers: string;
  readonly #port: number;
  readonly #folder: string;
  readonly #config: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, config: string) {
    this.#port = port;
    this.servers = `127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'haip-nats-'));
    this.#config = config;
  }

  /** @param config lines of a configuration, beside the address and the folder. */
  static async start(config = 'jetstream: enabled'): Promise<OwnServer> {
    const server = new OwnServer(await freePort(), config);
    OwnServer.#started.push(server);
    await server.start();
    return server;
  }

  /** Resolves when it takes connections; it does once it has read what it stored. */
  async start(): Promise<void> {
    const file = join(this.#folder, 'nats.conf');
    const store = this.#config.includes('jetstream') ? `\nstore_dir: "${join(this.#folder, 'store')}"` : '';
    writeFileSync(file, `listen: "${this.servers}"\n${this.#config}${store}\n`);
    this.#child = spawn(program, ['-c', file], { stdio: 'ignore' });
    while (!(await answers(this.#port))) {
      if (this.#child.exitCode !== null) throw new Error(`${program} ended with ${this.#child.exitCode}`);
      await pause(10);
    }
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Makes it stand still, or go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Keeps what is stored now, while it is stopped. Gives the way to bring that back. */
  keep(): () => void {
    const [store, kept] = [join(this.#folder, 'store'), join(this.#folder, 'kept')];
    cpSync(store, kept, { recursive: true });
    return () => {
      rmSync(store, { recursive: true });
      cpSync(kept, store, { recursive: true });
    };
  }

  async #remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Three servers that keep everything together: one of them may be gone. */
export class OwnCluster {
  readonly servers: string[];
  readonly #all: readonly OwnServer[];

  private constructor(all: readonly OwnServer[]) {
    this.#all = all;
    this.servers = all.map(({ servers }) => servers);
  }

  static async start(): Promise<OwnCluster> {
    const ports = [await freePort(), await freePort(), await freePort()];
    const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
    const all = await Promise.all(
      ports.map((port, i) =>
        OwnServer.start(
          `server_name: own-${i}\njetstream: enabled\ncluster { name: own, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
        ),
      ),
    );
    return new OwnCluster(all);
  }

  /** @param name the server's, as NATS says it. */
  one(name: string): OwnServer {
    return this.#all[Number(name.replace('own-', ''))] as OwnServer;
  }
}

// The process that is killed and started again at the same port, as whoever kills it has it.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type AnyStoreName, anyStore } from '../durable-stores.ts';

const program = fileURLToPath(new URL('./server.ts', import.meta.url));

export class KilledServer {
  readonly port: number;
  readonly #store: AnyStoreName;
  readonly #place: string;
  #child: ChildProcess | undefined;

  private constructor(store: AnyStoreName, place: string, port: number) {
    this.#store = store;
    this.#place = place;
    this.port = port;
  }

  /** A server over a store that holds nothing yet. */
  static async start(store: AnyStoreName): Promise<KilledServer> {
    const server = new KilledServer(store, anyStore[store].place(), await freePort());
    await server.start();
    return server;
  }

  /** Resolves when it listens, or died before. */
  async start(): Promise<void> {
    const child = fork(program, [this.#store, this.#place, String(this.port)], {
      execArgv: ['--conditions=@haip/source', '--disable-warning=ExperimentalWarning'],
    });
    this.#child = child;
    const died = new AbortController();
    child.once('exit', () => died.abort());
    await once(child, 'message', { signal: died.signal }).catch((error: unknown) => {
      if (child.signalCode !== 'SIGKILL') throw error;
    });
  }

  /** Resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async clear(): Promise<void> {
    await this.kill();
    await anyStore[this.#store].clear(this.#place);
  }
}

/** A port that is free now, and will most likely be when the server comes back to it. */
async function freePort(): Promise<number> {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  holder.close();
  await once(holder, 'close');
  return port;
}

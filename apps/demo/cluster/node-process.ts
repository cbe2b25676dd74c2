// One node of the cluster: the demo's server as a process, started, killed and started again. Its lines become events.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type EventKind, type TellEvent, wordsOfLog } from './event.ts';

const main = fileURLToPath(new URL('../server/main.ts', import.meta.url));

export class NodeProcess {
  readonly name: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #tellEvent: TellEvent;
  #child: ChildProcess | undefined;
  #port: number | undefined;

  /**
   * @param name what events call it
   * @param env the variables that its server is started with
   * @param tell told when it listens, answers, warns and is gone
   */
  constructor(name: string, env: NodeJS.ProcessEnv, tell: TellEvent) {
    this.name = name;
    this.#env = env;
    this.#tellEvent = tell;
  }

  /** Where it listens; undefined while it does not. */
  get port(): number | undefined {
    return this.#port;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Starts it unless it runs. Rejects when it ends before it listens. */
  async start(): Promise<void> {
    if (this.#child) return;
    const child = spawn(process.execPath, ['--conditions=@haip/source', main], {
      env: { ...this.#env, HAIP_NODE: this.name, HOST: '127.0.0.1', PORT: '0' },
      // The channel is there to break: a node ends when whoever started it is gone, however that went.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    const listening = Promise.withResolvers<void>();
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      this.#port = undefined;
      if (code === 0) this.#tell('note', 'ended');
      else this.#tell('dies', signal === 'SIGKILL' ? 'killed (SIGKILL)' : `ended (${signal ?? `exit ${code}`})`);
      listening.reject(new Error(`${this.name} ended before it listened`));
    });
    createInterface(child.stderr as NodeJS.ReadableStream).on('line', (line) => {
      this.#tell('warning', wordsOfLog(line));
    });
    createInterface(child.stdout as NodeJS.ReadableStream).on('line', (line) => {
      const port = /^HAIP demo: http:\/\/[^:]+:(\d+)/.exec(line)?.[1];
      if (port === undefined) return this.#tell(line.startsWith('has answered') ? 'answered' : 'answers', line);
      this.#port = Number(port);
      this.#tell('starts', `listens on port ${port}`);
      listening.resolve();
    });
    await listening.promise;
  }

  /** Ends it as a power cut would; resolves when it is gone. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Asks it to end at once; resolves when it is gone. */
  stop(): Promise<void> {
    return this.#end('SIGINT');
  }

  async #end(signal: 'SIGKILL' | 'SIGINT'): Promise<void> {
    const child = this.#child;
    if (!child) return;
    // Nothing more is sent there, even before it is gone.
    this.#port = undefined;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  #tell(kind: EventKind, words: string): void {
    this.#tellEvent({ about: this.name, kind, words });
  }
}

// The processes of a measurement: servers, the load, each on a core of its own where the system can do that. Has the
// load run a scenario, and reads the server's cost when the load says that the measured time begins and ends.

import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Order } from './load/main.ts';
import type { Result } from './load/scenarios.ts';
import type { Cost } from './servers/report.ts';

export interface Contender {
  readonly process: ChildProcess;
  readonly port: number;
  readonly isBare: boolean;
}

export interface Measured {
  readonly result: Result;
  readonly before: Cost;
  readonly after: Cost;
}

export class Contenders {
  readonly pins: boolean = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;
  readonly #load: ChildProcess = this.#fork('./load/main.ts', 1);
  readonly #servers = new Set<ChildProcess>();

  async start(name: 'bare' | 'haip'): Promise<Contender> {
    const child = this.#fork(`./servers/${name}.ts`, 0);
    this.#servers.add(child);
    const { port } = await reply<{ port: number }>(child);
    return { process: child, port, isBare: name === 'bare' };
  }

  /** @param look reads the server's cost when the measured time begins, and when it ends */
  async run(server: Contender, order: Order, look: Look = readCost): Promise<Measured> {
    const costs: Cost[] = [];
    let said = await reply<{ result?: Result }>(this.#load, order);
    while (said.result === undefined) {
      costs.push(await look(server));
      said = await reply(this.#load, 'go on');
    }
    const [before, after] = costs as [Cost, Cost];
    return { result: said.result, before, after };
  }

  end(...contenders: readonly Contender[]): void {
    for (const { process: server } of contenders) {
      this.#servers.delete(server);
      server.send('end');
    }
  }

  endAll(): void {
    for (const server of this.#servers) server.send('end');
    this.#load.kill();
  }

  #fork(file: string, core: number): ChildProcess {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
      execArgv: ['--expose-gc', '--conditions=@haip/source'],
    });
    if (this.pins) spawnSync('taskset', ['-a', '-p', '-c', String(core), String(child.pid)]);
    child.once('exit', (code) => {
      if (code) process.exit(code);
    });
    return child;
  }
}

type Look = (contender: Contender) => Promise<Cost>;

export const readCost: Look = ({ process: server }) => reply<Cost>(server, 'cost');

/** Memory as the system tells it after a collection. */
export const readCollected: Look = ({ process: server }) => reply<Cost>(server, 'collect');

/** What a child says next; its file says in what shape. */
function reply<T>(child: ChildProcess, message?: object | string): Promise<T> {
  return new Promise((resolve) => {
    child.once('message', (said) => resolve(said as T));
    if (message !== undefined) child.send(message);
  });
}

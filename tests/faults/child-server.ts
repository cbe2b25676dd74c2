// The attacked server as a test has it.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Order, Report } from './attacked-server.ts';

export interface ChildServer {
  readonly port: number;
  ask(order: Order): Promise<Report>;
  /** False once the process has ended, which no attack may bring about. */
  readonly lives: boolean;
}

/** Starts one, gone when `finish` says so. Default: when the test is over. */
export async function childServer(finish: (close: () => void) => void = onTestFinished): Promise<ChildServer> {
  const child = fork(fileURLToPath(new URL('./attacked-server.ts', import.meta.url)), {
    execArgv: ['--conditions=@haip/source', '--expose-gc'],
  });
  finish(() => void child.kill());
  const [port] = await once(child, 'message');
  return {
    port,
    get lives() {
      return child.exitCode === null && child.signalCode === null;
    },
    async ask(order) {
      const answered = once(child, 'message');
      child.send(order);
      const [report] = await answered;
      return report;
    },
  };
}

// What every attack is made on: a server in a process of its own, and a conversation beside the attack.

import { expect, onTestFinished } from 'vitest';
import { type ChildServer, childServer } from './child-server.ts';
import { beginNeighbour } from './real-pair.ts';

export const MiB: number = 1024 * 1024;

export interface Scene {
  readonly server: ChildServer;
  /** The neighbour talks until what is given is over; its lines, and the longest time that one took. */
  beside<Result>(attack: Promise<Result>): Promise<{ result: Result; lines: number; slowestMs: number }>;
  expectWhole(): void;
}

/** A child server and its neighbour, gone when `finish` says so. Default: when the test is over. */
export async function attackScene(finish: (close: () => void) => void = onTestFinished): Promise<Scene> {
  const server = await childServer(finish);
  const neighbour = await beginNeighbour(server.port);
  finish(() => neighbour.client.disconnect());
  // What is compiled and pooled at first is no cost of the attack.
  for (let i = 0; i < 50; i++) await neighbour.say();
  return {
    server,
    async beside(attack) {
      let isOver = false;
      const done = attack.finally(() => {
        isOver = true;
      });
      done.catch(() => {});
      let lines = 0;
      let slowestMs = 0;
      do {
        slowestMs = Math.max(slowestMs, await neighbour.say());
        lines++;
      } while (!isOver);
      return { result: await done, lines, slowestMs };
    },
    expectWhole() {
      neighbour.expectWhole();
      expect(server.lives).toBe(true);
    },
  };
}

/** Figures for docs/reliability.md, where they are asked for. */
export function tell(attack: string, figures: Record<string, number | string>): void {
  if (process.env['HAIP_FIGURES']) console.log(attack, JSON.stringify(figures));
}

export const inMiB = (bytes: number): string => (bytes / MiB).toFixed(1);

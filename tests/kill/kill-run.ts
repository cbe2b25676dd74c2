// Kills a server while it streams to three clients, one on each transport, again and again, and sees what became of
// everything that was said. The same seed kills at the same places of the answers, as far as a machine repeats itself.

import { httpStream } from '@haip/transport-http/client';
import { serverSentEvents } from '@haip/transport-sse/client';
import { webSocket } from '@haip/transport-ws/client';
import type { AnyStoreName } from '../durable-stores.ts';
import { KilledServer } from './killed-server.ts';
import { Talker } from './talker.ts';

/** How far the tool counts in each answer. */
const COUNT = 120;

export interface KillReport {
  readonly store: AnyStoreName;
  readonly kills: number;
  readonly settled: number;
  readonly parts: number;
  /** How long after a kill a client was told something again, the start of the process included; in ms. */
  readonly resumedMs: readonly number[];
  readonly faults: readonly string[];
}

/** A generator of chance that a seed repeats. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export async function killRun(store: AnyStoreName, kills: number, seed: number): Promise<KillReport> {
  const random = seeded(seed);
  const server = await KilledServer.start(store);
  try {
    const origin = `127.0.0.1:${server.port}`;
    const talkers = [
      await Talker.begin('on WebSocket', webSocket({ url: `ws://${origin}/haip/websocket` })),
      await Talker.begin('on SSE', serverSentEvents({ url: `http://${origin}/haip/sse` })),
      await Talker.begin('on HTTP', httpStream({ url: `http://${origin}/haip/stream` })),
    ];
    for (let kill = 0; kill < kills && talkers.every(({ faults }) => faults.length === 0); kill++) {
      await killOnce(server, talkers, random);
    }
    for (const talker of talkers) await talker.judge();
    return {
      store,
      kills,
      settled: talkers.reduce((sum, talker) => sum + talker.settled, 0),
      parts: talkers.reduce((sum, talker) => sum + talker.parts, 0),
      resumedMs: talkers.flatMap(({ resumedMs }) => resumedMs),
      faults: talkers.flatMap(({ faults }) => faults),
    };
  } finally {
    await server.clear();
  }
}

async function killOnce(server: KilledServer, talkers: readonly Talker[], random: () => number): Promise<void> {
  const asked = Promise.all(talkers.map((talker) => talker.ask(COUNT)));
  const said = (): number => talkers.reduce((sum, { parts }) => sum + parts, 0);
  // From before the first word to about the last; one in ten is killed again while it starts.
  const target = said() + Math.floor(random() * COUNT * talkers.length);
  await Promise.race([asked, ...talkers.map((talker) => talker.until(() => said() >= target))]);
  await server.kill();
  for (const talker of talkers) talker.cut();
  if (random() < 0.1) {
    const starting = server.start();
    for (let turns = Math.floor(random() * 200); turns > 0; turns--) await new Promise(setImmediate);
    await server.kill();
    await starting;
  }
  await server.start();
  await asked;
}

/** The line a report is told in. */
export function killLine({ store, kills, settled, parts, resumedMs, faults }: KillReport): string {
  const sorted = resumedMs.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  const resumed = `told again within ${at(0.5)} ms (half), ${at(0.99)} ms (99 %)`;
  return `${store}: ${kills} kills, ${settled} messages settled, ${parts} parts handed over; ${resumed}; ${faults.length} faults`;
}

// Has work done for a while, all at once or by the clock, and says how long each took and what it cost.

import { setTimeout as pause } from 'node:timers/promises';

export interface Figures {
  readonly perSecond: number;
  /** In ms. */
  readonly p50: number;
  readonly p99: number;
  /** Of this process and of the engine, in microseconds for each: steadier than time on a machine that does other things. */
  readonly cpu: number;
  readonly engineCpu: number;
}

export interface Contender {
  /** Does one piece of work. */
  work(worker: number): unknown;
  engineMicros(): number | Promise<number>;
}

/** Each worker does it again and again, waiting for the answer in between. */
export function closedLoop(contender: Contender, workers: number, ms: number): Promise<Figures> {
  return timed(contender, workers, async (waits, worker) => {
    const begun = performance.now();
    for (let before = begun; before - begun < ms; ) {
      await contender.work(worker);
      const now = performance.now();
      waits.push(now - before);
      before = now;
    }
  });
}

/** Each worker does it every so often, one at a time. What had to wait for the one before counts from when it was due. */
export function byTheClock(contender: Contender, workers: number, ms: number, everyMs: number): Promise<Figures> {
  return timed(contender, workers, async (waits, worker) => {
    const begun = performance.now() + (everyMs * worker) / workers;
    for (let due = begun; due - begun < ms; due += everyMs) {
      const early = due - performance.now();
      if (early > 0) await pause(early);
      // A timer that was late is not the store's fault.
      const from = early > 0 ? performance.now() : due;
      await contender.work(worker);
      waits.push(performance.now() - from);
    }
  });
}

async function timed(
  { engineMicros }: Contender,
  workers: number,
  run: (waits: number[], worker: number) => Promise<void>,
): Promise<Figures> {
  const waits: number[] = [];
  const engineBefore = await engineMicros();
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(Array.from({ length: workers }, (_, worker) => run(waits, worker)));
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const engineCpu = ((await engineMicros()) - engineBefore) / waits.length;
  const sorted = Float64Array.from(waits).sort();
  const share = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
  const cpu = (user + system) / waits.length;
  return { perSecond: waits.length / seconds, p50: share(0.5), p99: share(0.99), cpu, engineCpu };
}

/** The middle of the rounds, of work that does so many units at once. */
export function middleOf(rounds: readonly Figures[], units: number): Record<string, number> {
  const of = (pick: (figures: Figures) => number): number => {
    const values = rounds.map(pick).sort((one, other) => one - other);
    return Number((values[values.length >> 1] ?? Number.NaN).toPrecision(3));
  };
  return {
    'a second': of(({ perSecond }) => perSecond * units),
    'p50, ms': of(({ p50 }) => p50),
    'p99, ms': of(({ p99 }) => p99),
    'CPU here, µs': of(({ cpu }) => cpu / units),
    'CPU of the engine, µs': of(({ engineCpu }) => engineCpu / units),
  };
}

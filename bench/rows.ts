// What `pnpm bench` measures: each scenario over each transport, and which of its figures are held against a goal.

import type { Route } from './load/link.ts';
import type { Latency } from './load/scenarios.ts';

/** What one scenario did with one server. */
export interface Measurement {
  readonly perSecond: number;
  /** Milliseconds of the server's CPU for 100,000 units: the steadiest figure on a machine that does other things. */
  readonly cpuMsPer100k: number;
  /** What the server took from the system for each unit. Memory that a process has had once it keeps. */
  readonly memoryBytes: number;
  /** On the load's sockets, for each unit. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly latency?: Latency | undefined;
}

/** A number of a measurement, and what its ratio to the bare server's must and should be. */
export interface Figure {
  readonly title: string;
  readonly unit: string;
  readonly of: (measurement: Measurement) => number;
  readonly must: number;
  readonly aim: number;
  readonly lowerIsBetter?: boolean;
}

export interface Row {
  readonly scenario: string;
  readonly transport: Route['transport'];
  readonly figures: readonly Figure[];
  /** Both servers are started for it. */
  readonly fresh?: boolean;
}

const perSecond = ({ perSecond }: Measurement): number => perSecond;

function rate(title: string, unit: string, must: number, aim: number): Figure {
  return { title, unit: `${unit}/s`, of: perSecond, must, aim };
}

function wait(title: string, share: keyof Latency): Figure {
  // 0.8 times as fast.
  return { title, unit: 'µs', of: (m) => m.latency?.[share] ?? Number.NaN, must: 1.25, aim: 1, lowerIsBetter: true };
}

const echo32 = 'echo, 50 connections × 32 in flight';
const echo1 = 'echo, 50 × 1 in flight';
const latencies = [
  wait('open loop, 5,000/s, median', 'p50'),
  wait('open loop, 5,000/s, 99 %', 'p99'),
  wait('open loop, 5,000/s, longest', 'max'),
];
const oneToken = 'one token per stream per turn, 100 streams';
const bursts = 'bursts of 20 tokens, 100 streams';
const clocked = 'tokens by the clock, 100 streams × 1,000/s';
const everyone = 'fan-out, 1 sender, 1,000 readers';
const memory: Figure = {
  title: 'memory per idle session',
  unit: 'bytes',
  of: ({ memoryBytes }) => memoryBytes,
  must: 1.5,
  aim: 1,
  lowerIsBetter: true,
};

function overHttp(transport: 'sse' | 'http'): Row[] {
  return [
    { scenario: 'echo-32', transport, figures: [rate(echo32, 'messages', 0.8, 1)] },
    { scenario: 'echo-1', transport, figures: [rate(echo1, 'messages', 0.8, 1)] },
    { scenario: 'open-loop', transport, figures: latencies },
    { scenario: 'tokens', transport, figures: [rate(oneToken, 'tokens', 0.8, 1)] },
    { scenario: 'bursts', transport, figures: [rate(bursts, 'tokens', 0.8, 1)] },
    { scenario: 'clocked', transport, figures: [rate(clocked, 'tokens', 0.8, 1)] },
    { scenario: 'fan-out', transport, figures: [rate(everyone, 'deliveries', 0.8, 1)] },
  ];
}

const transport = 'websocket';

export const rows: readonly Row[] = [
  { scenario: 'echo-32', transport, figures: [rate(echo32, 'messages', 1, 2)] },
  { scenario: 'echo-1', transport, figures: [rate(echo1, 'messages', 0.8, 1)] },
  { scenario: 'open-loop', transport, figures: latencies },
  { scenario: 'tokens', transport, figures: [rate(oneToken, 'tokens', 0.65, 1)] },
  { scenario: 'bursts', transport, figures: [rate(bursts, 'tokens', 2.5, 4)] },
  { scenario: 'clocked', transport, figures: [rate(clocked, 'tokens', 0.8, 1)] },
  { scenario: 'fan-out', transport, figures: [rate(everyone, 'deliveries', 0.6, 0.9)] },
  { scenario: 'idle', transport, figures: [memory], fresh: true },
  { scenario: 'handshakes', transport, figures: [rate('handshakes', 'handshakes', 0.5, 0.8)] },
  ...overHttp('sse'),
  ...overHttp('http'),
];

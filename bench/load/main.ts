// The load process: runs one scenario after another as it is told, asks its parent to read the server's cost at the
// right moments, and tells the result.

import type { Route } from './link.ts';
import { echo, fanOut, handshakes, idle, openLoop, type Probe, type Scenario, talked, tokens } from './scenarios.ts';

const scenarios: Readonly<Record<string, Scenario>> = {
  'echo-32': echo(50, 32),
  'echo-1': echo(50, 1),
  'open-loop': openLoop(50, 5000),
  tokens: tokens(100, 'tokens'),
  bursts: tokens(100, 'bursts'),
  clocked: tokens(100, 'clocked'),
  'fan-out': fanOut(1000),
  idle: idle(2000),
  silent: idle(Number.POSITIVE_INFINITY),
  'talked-2': talked(2),
  'talked-100': talked(100),
  handshakes,
};

export interface Order {
  readonly scenario: string;
  readonly route: Route;
  readonly measureMs: number;
  /** Caps connections, readers and sessions. */
  readonly most: number;
}

/** Tells the parent and waits until it says that it has done its part. */
function ask(what: string): Promise<void> {
  return new Promise((resolve) => {
    process.once('message', () => resolve());
    process.send?.({ ask: what });
  });
}

const probe: Probe = { begin: () => ask('begin'), end: () => ask('end') };

async function next(): Promise<void> {
  const { scenario, ...order } = await new Promise<Order>((resolve) => {
    process.once('message', (message) => resolve(message as Order));
  });
  const measured = scenarios[scenario];
  if (measured === undefined) throw new Error(`no scenario ${scenario}`);
  process.send?.({ result: await measured({ ...order, probe }) });
  await next();
}

/**
 * Never sleeps. Waking a process that sleeps is charged to whoever writes to it, on a virtual machine more than the
 * write itself: a server that leaves the load waiting would pay for each message twice.
 */
function stayAwake(): void {
  setImmediate(stayAwake);
}

// Whoever started it is gone.
process.on('disconnect', () => process.exit(1));
stayAwake();
await next();

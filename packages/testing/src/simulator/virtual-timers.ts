// The platform's timers on virtual time, for code under test that takes no clock. They belong to the host whose event is
// happening; while no simulated time passes they are the real ones.

import type { Timer } from '@haip/protocol';
import { type Host, runningHost } from './world.ts';

type Call = (...args: unknown[]) => void;

/** What stands for a timer of the platform. */
class VirtualTimer {
  timer: Timer | undefined;

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }
}

function once(host: Host, call: Call, ms = 0, args: unknown[]): VirtualTimer {
  const handle = new VirtualTimer();
  handle.timer = host.clock.timer(Math.max(0, ms), () => call(...args));
  return handle;
}

function again(host: Host, call: Call, ms = 0, args: unknown[]): VirtualTimer {
  const handle = new VirtualTimer();
  const begin = (): void => {
    handle.timer = host.clock.timer(Math.max(1, ms), () => {
      begin();
      call(...args);
    });
  };
  begin();
  return handle;
}

/**
 * Replaces `setTimeout`, `setInterval` and `setImmediate` of this thread, and what cancels them. To be called before code
 * is loaded that takes them while it is loaded; for good.
 */
export function virtualTimers(): void {
  const { setTimeout, setInterval, setImmediate, clearTimeout } = globalThis;
  const begin =
    (virtual: typeof once, real: (call: Call, ms?: number, ...args: unknown[]) => unknown) =>
    (call: Call, ms?: number, ...args: unknown[]): unknown => {
      const host = runningHost();
      return host === undefined ? real(call, ms, ...args) : virtual(host, call, ms, args);
    };
  const soon = (call: Call, ...args: unknown[]): unknown => {
    const host = runningHost();
    return host === undefined ? setImmediate(call, ...args) : host.after(0, () => call(...args));
  };
  const cancel = (handle: unknown): void => {
    if (handle instanceof VirtualTimer) handle.timer?.cancel();
    // Node cancels intervals by the same means.
    else clearTimeout(handle as NodeJS.Timeout);
  };
  Object.assign(globalThis, {
    setTimeout: begin(once, setTimeout),
    setInterval: begin(again, setInterval),
    setImmediate: soon,
    clearTimeout: cancel,
    clearInterval: cancel,
  });
}

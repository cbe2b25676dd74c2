// Finds out whether a quiet link still lives, and keeps one alive that only brings. Owns one timer. Asks after a time
// without hearing anything, gives the peer a while to answer, and asks anew when its own timer fired so late that the
// machine must have slept or stalled: then the silence was ours. Spec: guarantees.md, limits, F5, F15, F19, F36.

import type { Clock, Connection, Timer } from '@haip/protocol';

export interface HeartbeatOptions {
  /**
   * Silence after which the peer is asked for a sign of life. Also how long the client itself says nothing at most: on a
   * slow link what a server asks is stuck behind all that it has sent. Default 20,000 ms.
   */
  readonly pingAfterMs: number;
  /** How long it then has. Default 10,000 ms. */
  readonly deadAfterMs: number;
}

export interface SilenceWatch extends HeartbeatOptions {
  readonly clock: Clock;
  readonly ping: () => void;
  readonly dead: () => void;
}

/**
 * Watches a connection until `stop`. Whoever reads it says by `hear` when something arrived, who writes by `say`. `probe`
 * asks at once, and gives the peer half the time.
 */
export function watchSilence(
  connection: Connection,
  { clock, pingAfterMs, deadAfterMs, ping, dead }: SilenceWatch,
): { hear(): void; say(): void; probe(): void; stop(): void } {
  let heard: number | undefined;
  let heardAt: number;
  let saidAt = clock.monotonic();
  let asked: boolean;
  let timer: Timer;
  const hear = (): void => {
    if (connection.heard === heard) return;
    heard = connection.heard;
    heardAt = clock.monotonic();
    asked = false;
  };
  const look = (due: number): void => {
    // The link's own signs of life (a WebSocket ping) are counted, but nobody is told when they come.
    hear();
    const now = clock.monotonic();
    if (now - due <= deadAfterMs / 2) {
      if (asked) return dead();
      if (now - heardAt < pingAfterMs) {
        if (now - saidAt >= pingAfterMs) ping();
        return wait(Math.min(heardAt, saidAt) + pingAfterMs - now);
      }
    }
    ask(deadAfterMs);
  };
  const ask = (ms: number): void => {
    asked = true;
    ping();
    wait(ms);
  };
  const wait = (ms: number): void => {
    const due = clock.monotonic() + ms;
    timer = clock.timer(ms, () => look(due));
  };
  hear();
  wait(pingAfterMs);
  const say = (): void => {
    saidAt = clock.monotonic();
  };
  const probe = (): void => {
    // Whoever was asked already keeps the deadline it has: signs of waking often come in twos and threes.
    if (asked) return;
    timer.cancel();
    ask(deadAfterMs / 2);
  };
  return { hear, say, probe, stop: () => timer.cancel() };
}

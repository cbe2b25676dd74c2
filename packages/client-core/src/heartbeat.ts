// Finds out whether a link lives, and whether it delivers; and keeps one alive that only brings. Owns one timer. Asks after
// a time without hearing anything, gives the peer a while to answer, and asks anew when its own timer fired so late that
// the machine must have slept or stalled: then the silence was ours. Spec: guarantees.md, limits, F5, F12, F15, F19, F36.

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

export interface HeartbeatParts extends HeartbeatOptions {
  readonly clock: Clock;
  /** How long a link that is in doubt may bring nothing at all. */
  readonly deliverTimeoutMs: number;
}

/** Who is told. */
export interface HeartbeatOwner {
  ping(): void;
  dead(): void;
}

export interface Heartbeat {
  /** Something arrived. */
  hear(): void;
  /** Something was written. */
  say(): void;
  /** Asks at once, and gives the peer half the time. */
  probe(): void;
  /** The answer to a PING is here: the link is in doubt no more. */
  answered(): void;
  stop(): void;
}

/** Watches a connection until `stop`. One in doubt is asked at once, and has to bring the answer. */
export function watchLink(
  connection: Connection,
  { clock, pingAfterMs, deadAfterMs, deliverTimeoutMs }: HeartbeatParts,
  { ping, dead }: HeartbeatOwner,
  isInDoubt: boolean,
): Heartbeat {
  let heard = connection.heard;
  let heardAt = clock.monotonic();
  let saidAt = heardAt;
  let asked = false;
  let timer: Timer | undefined;
  let isStopped = false;
  const wait = (ms: number): void => {
    // Asking may have ended it.
    if (isStopped) return;
    const due = clock.monotonic() + ms;
    timer?.cancel();
    timer = clock.timer(ms, () => look(due, ms));
  };
  const ask = (ms: number): void => {
    asked = true;
    ping();
    wait(ms);
  };
  // The link's own signs of life (a WebSocket ping) are counted, but nobody is told when they come.
  const hear = (): void => {
    if (connection.heard === heard) return;
    heard = connection.heard;
    heardAt = clock.monotonic();
    asked = false;
  };
  const look = (due: number, waited: number): void => {
    hear();
    const now = clock.monotonic();
    if (isInDoubt) {
      // Whatever came counts: behind a long backlog the answer itself is late.
      const goesOn = heardAt > due - waited || now - due > waited / 2;
      return goesOn ? wait(deliverTimeoutMs) : dead();
    }
    if (now - due <= deadAfterMs / 2) {
      if (asked) return dead();
      if (now - heardAt < pingAfterMs) {
        if (now - saidAt >= pingAfterMs) ping();
        return wait(Math.min(heardAt, saidAt) + pingAfterMs - now);
      }
    }
    ask(deadAfterMs);
  };
  if (isInDoubt) ask(deliverTimeoutMs);
  else wait(pingAfterMs);
  return {
    hear,
    say() {
      saidAt = clock.monotonic();
    },
    probe() {
      // Whoever was asked already keeps the deadline it has: signs of waking often come in twos and threes.
      if (!asked) ask(deadAfterMs / 2);
    },
    answered() {
      if (isInDoubt) wait(pingAfterMs);
      isInDoubt = false;
    },
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}

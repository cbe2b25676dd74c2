// Virtual time. Everything that ever happens is an event at a moment, on a host; between two events every promise comes
// to rest. Nothing waits for real time, so a minute of it costs what its events cost.

import type { Clock, Timer } from '@haip/protocol';

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** A hundred times what a simulation takes. */
const MOST_EVENTS = 200_000;

interface Happening {
  at: number;
  /** Events of one moment happen in the order they were asked for. */
  order: number;
  /** Undefined once it happened or was cancelled. */
  run: (() => void) | undefined;
  readonly host: Host;
}

/** Whose event is happening. */
let running: Host | undefined;

/**
 * Whose doing this is: the host of the event that is happening, whose promises come to rest before the next one.
 * Undefined while no time passes.
 */
export function runningHost(): Host | undefined {
  return running;
}

/** A machine: its clocks, and whether it lives. What is due on one that is dead never happens, on one that stalls later. */
export class Host {
  readonly name: string;
  readonly clock: Clock;
  readonly #world: World;
  alive = true;
  stalledUntil = 0;
  /** What the wall clock shows beyond the world's time. */
  wallOffsetMs = Date.UTC(2025, 0, 1);
  /** Timers that were begun through {@link clock} and neither fired nor were cancelled. */
  timers = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.clock = {
      now: () => Math.floor(this.wallOffsetMs + world.now),
      monotonic: () => world.now,
      timer: (delayMs, fire) => this.#timer(delayMs, fire),
    };
  }

  /** Does something on this host after `delayMs`. */
  after(delayMs: number, run: () => void): Timer {
    return this.#world.schedule(this, delayMs, run);
  }

  /** What is left of this event is this host's doing, whoever's event it was. */
  enter(): void {
    running = this;
  }

  /** The host stops at once and for ever. */
  kill(): void {
    this.alive = false;
  }

  #timer(delayMs: number, fire: () => void): Timer {
    if (!(delayMs >= 0 && delayMs <= LONGEST_TIMER_MS)) {
      throw new RangeError(`delay: expected 0 to ${LONGEST_TIMER_MS} ms, got ${delayMs}`);
    }
    this.timers++;
    let pending = true;
    const done = (): void => {
      if (pending) this.timers--;
      pending = false;
    };
    const timer = this.after(delayMs, () => {
      done();
      fire();
    });
    return {
      cancel: () => {
        done();
        timer.cancel();
      },
    };
  }
}

export class World {
  /** Milliseconds since the world began. */
  now = 0;
  /** How many events happened. */
  events = 0;
  readonly #heap: Happening[] = [];
  #order = 0;

  schedule(host: Host, delayMs: number, run: () => void): Timer {
    const event: Happening = { at: this.now + delayMs, order: this.#order++, run, host };
    this.#push(event);
    return {
      cancel: () => {
        event.run = undefined;
      },
    };
  }

  /**
   * Lets happen what is due within `ms`, event by event. Between two the microtask queue runs empty: it is followed by
   * Node's own tick queue, which takes the next event. Rejects with what an event threw.
   */
  advance(ms: number): Promise<void> {
    const until = this.now + ms;
    return new Promise((resolve, reject) => {
      const step = (): void => {
        const event = this.#next(until);
        running = event?.host;
        if (event === undefined) {
          this.now = until;
          resolve();
          return;
        }
        this.events++;
        if (this.events > MOST_EVENTS) {
          reject(new Error(`more than ${MOST_EVENTS} events: something goes round in circles`));
          return;
        }
        try {
          event.run();
        } catch (error) {
          reject(error);
          return;
        }
        queueMicrotask(later);
      };
      const later = (): void => process.nextTick(step);
      queueMicrotask(later);
    });
  }

  #next(until: number): { readonly run: () => void; readonly host: Host } | undefined {
    for (let event = this.#heap[0]; event !== undefined && event.at <= until; event = this.#heap[0]) {
      this.#pop();
      const { run, host } = event;
      if (run === undefined || !host.alive) continue;
      if (host.stalledUntil > event.at) {
        event.at = host.stalledUntil;
        event.order = this.#order++;
        this.#push(event);
        continue;
      }
      this.now = event.at;
      event.run = undefined;
      return { run, host };
    }
    return undefined;
  }

  #push(event: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Happening;
      if (!isBefore(event, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const event = heap.pop() as Happening;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1] as Happening, heap[down] as Happening)) down++;
      const child = heap[down] as Happening;
      if (!isBefore(child, event)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = event;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

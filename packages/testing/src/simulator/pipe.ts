// One direction of a link: what is written arrives in order, each parcel in its time. Whoever holds it slows it, silences
// it, or shuts it.

import type { Host } from './world.ts';

export interface PipeOptions {
  /** How long the next parcel takes, in ms. */
  latencyMs(): number;
  /** What may be under way before `write` makes its caller wait, in bytes. */
  readonly highWaterBytes: number;
}

export class Pipe<P extends { readonly size: number }> {
  readonly #receiver: Host;
  readonly #latencyMs: () => number;
  readonly #highWaterBytes: number;
  readonly #deliver: (parcels: P[]) => void;
  #underWay: P[] = [];
  #bytes = 0;
  #waiting: (() => void)[] | undefined;
  /** The arrival that is next: its moment, and how many parcels come with it. */
  #arrivals: { readonly at: number; count: number }[] = [];
  #lastAt = 0;
  state: 'flowing' | 'stalled' | 'muted' | 'shut' = 'flowing';

  constructor(receiver: Host, options: PipeOptions, deliver: (parcels: P[]) => void) {
    this.#receiver = receiver;
    this.#latencyMs = options.latencyMs;
    this.#highWaterBytes = options.highWaterBytes;
    this.#deliver = deliver;
  }

  write(parcel: P): void | Promise<void> {
    if (this.state === 'muted' || this.state === 'shut') return;
    this.#underWay.push(parcel);
    this.#bytes += parcel.size;
    const now = this.#receiver.clock.monotonic();
    const at = Math.max(this.#lastAt, now + this.#latencyMs());
    const last = this.#arrivals.at(-1);
    if (last?.at === at) last.count++;
    else {
      this.#arrivals.push({ at, count: 1 });
      this.#receiver.after(at - now, this.#arrive);
    }
    this.#lastAt = at;
    if (this.#bytes > this.#highWaterBytes) {
      return new Promise((resolve) => {
        this.#waiting ??= [];
        this.#waiting.push(resolve);
      });
    }
  }

  readonly #arrive = (): void => {
    if (this.state !== 'stalled') this.#take(this.#arrivals.shift()?.count ?? 0);
  };

  #take(count: number): void {
    if (count === 0) return;
    const parcels = this.#underWay.splice(0, count);
    for (const { size } of parcels) this.#bytes -= size;
    this.#deliver(parcels);
    if (this.#bytes <= this.#highWaterBytes) this.#release();
  }

  /** Nothing is taken any more. The first parcels under way arrive now, on the receiver's host, the rest never. */
  shut(kept: number): void {
    if (this.state === 'shut') return;
    const parcels = this.#underWay.slice(0, kept);
    this.#lose('shut');
    if (parcels.length > 0) this.#receiver.after(0, () => this.#deliver(parcels));
  }

  #lose(state: 'muted' | 'shut'): void {
    this.state = state;
    this.#underWay = [];
    this.#arrivals = [];
    this.#bytes = 0;
    this.#release();
  }

  mute(): void {
    if (this.state !== 'shut') this.#lose('muted');
  }

  stall(): void {
    if (this.state === 'flowing') this.state = 'stalled';
  }

  resume(): void {
    if (this.state !== 'stalled') return;
    this.state = 'flowing';
    const now = this.#receiver.clock.monotonic();
    // What was due meanwhile arrives at once; the events of what is not due yet are still to come.
    let late = 0;
    while ((this.#arrivals[0]?.at ?? Number.POSITIVE_INFINITY) <= now) late += this.#arrivals.shift()?.count ?? 0;
    // On the receiver's own time, and what comes in this very moment finds them first.
    if (late > 0) this.#receiver.after(0, () => this.#take(late));
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resume of waiting ?? []) resume();
  }
}

// One direction of a memory link: keeps order, takes its time by a given clock, counts bytes, and knows how to be
// slow, silent or shut. Knows nothing of envelopes.

import type { Clock, ConnectionEnd, Timer } from '@haip/protocol';

/** What travels: an encoded message, the end, or the link's own sign of life and the answer to it. */
export type Parcel =
  | { readonly kind: 'frame'; readonly text: string; readonly bytes: Uint8Array | undefined; readonly size: number }
  | { readonly kind: 'close'; readonly end: ConnectionEnd; readonly size: 0 }
  | { readonly kind: 'probe' | 'alive'; readonly size: 0 };

export interface PipeOptions {
  readonly clock: Clock | undefined;
  readonly latencyMs: number;
  readonly highWaterBytes: number;
}

export class MemoryPipe {
  /** Bytes written so far, those that were lost included. */
  bytes = 0;
  readonly #options: PipeOptions;
  readonly #deliver: (parcels: readonly Parcel[]) => void;
  #underway: { readonly parcel: Parcel; readonly due: number }[] = [];
  #unread = 0;
  #waiting: (() => void)[] = [];
  #scheduled = false;
  #timer: Timer | undefined;
  #state: 'flowing' | 'stalled' | 'muted' | 'shut' = 'flowing';

  constructor(options: PipeOptions, deliver: (parcels: readonly Parcel[]) => void) {
    this.#options = options;
    this.#deliver = deliver;
  }

  /** Takes the parcel; a promise when the reader is behind by more than the high-water mark. */
  write(parcel: Parcel): void | Promise<void> {
    this.bytes += parcel.size;
    if (this.#state === 'muted' || this.#state === 'shut') return;
    this.#unread += parcel.size;
    this.#underway.push({ parcel, due: this.#now() + this.#options.latencyMs });
    this.#schedule();
    if (this.#unread > this.#options.highWaterBytes) return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Bytes that are neither underway nor unread. */
  get gone(): number {
    return this.bytes - this.#unread;
  }

  /** The reader took so many bytes. */
  taken(bytes: number): void {
    this.#unread -= bytes;
    if (this.#unread <= this.#options.highWaterBytes) this.#release();
  }

  /** Nothing arrives until {@link resume}; the writer is made to wait. */
  stall(): void {
    if (this.#state === 'flowing') this.#state = 'stalled';
  }

  /** Delivers the first few of what is stalled. */
  trickle(count: number): void {
    if (this.#state !== 'stalled') return;
    this.#deliver(this.#underway.splice(0, count).map(({ parcel }) => parcel));
  }

  resume(): void {
    if (this.#state !== 'stalled') return;
    this.#state = 'flowing';
    this.#schedule();
  }

  /** What is written from now on is lost, and the writer does not learn of it. What is underway still arrives. */
  mute(): void {
    if (this.#state !== 'shut') this.#state = 'muted';
    this.#schedule();
    this.#release();
  }

  /** Loses what is underway and everything later. */
  shut(): void {
    this.#state = 'shut';
    this.#underway = [];
    this.#timer?.cancel();
    this.#release();
  }

  #now(): number {
    return this.#options.clock?.monotonic() ?? 0;
  }

  #schedule(): void {
    const first = this.#underway[0];
    if (first === undefined || this.#scheduled || this.#state === 'stalled') return;
    this.#scheduled = true;
    const waitMs = first.due - this.#now();
    if (this.#options.clock !== undefined && waitMs > 0) {
      this.#timer = this.#options.clock.timer(waitMs, () => this.#arrive());
    } else {
      queueMicrotask(() => this.#arrive());
    }
  }

  #arrive(): void {
    this.#scheduled = false;
    this.#timer = undefined;
    if (this.#state === 'stalled') return;
    const now = this.#now();
    const later = this.#underway.findIndex(({ due }) => due > now);
    const due = this.#underway.splice(0, later === -1 ? this.#underway.length : later);
    this.#schedule();
    if (due.length > 0) this.#deliver(due.map(({ parcel }) => parcel));
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

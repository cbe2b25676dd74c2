// The time of windows, leases and revocations, in ms: one for all stores of a schema. It goes on by the steady clock of
// each process, and from process to process by beats that lie in the database beside its wall clock. A wall clock that
// jumps moves nothing while somebody is there to see it. Pure. Spec: §4; fault F38.

/** What a store wrote last: the store's time, the wall clock at that moment, and who it was. */
export interface Beat {
  readonly storeAt: number;
  readonly wallAt: number;
  readonly by: string;
}

/** How often a store writes a beat. */
export const BEAT_MS = 10_000;

/** So much of a wall clock's way since the last beat is believed at once: beats come more often than that. */
const BELIEVED_MS = 60_000;
/** After so many beats with nobody else's in between, nobody else was there. */
const ALONE_AFTER = 2;

export class StoreTime {
  readonly #me: string;
  readonly #monotonic: () => number;
  /** Store's time minus the steady clock. */
  #offset = 0;
  /** A time when nobody was there, or a jump that another store has seen through: not known yet. */
  #unproved = 0;
  #beatsAlone = 0;
  #hasBegun = false;

  /** @param me names this store among others. */
  constructor(me: string, monotonic: () => number) {
    this.#me = me;
    this.#monotonic = monotonic;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  now(): number {
    return Math.floor(this.#offset + this.#monotonic());
  }

  /** Begins where the last beat was. Gives the beat to be written now. */
  begin(last: Beat, wallAt: number): Beat {
    this.#hasBegun = true;
    const gap = wallAt - last.wallAt;
    this.#unproved = Math.max(0, gap - BELIEVED_MS);
    this.#beatsAlone = 0;
    this.#goTo(last.storeAt + within(gap));
    return this.#beat(wallAt);
  }

  /** Goes on after a look at the last beat. Gives the beat to be written now. */
  next(last: Beat, wallAt: number): Beat {
    if (last.by !== this.#me) {
      // Who is there has seen how much time passed. No store runs behind another one.
      this.#unproved = 0;
      this.#goTo(Math.max(this.now(), last.storeAt + within(wallAt - last.wallAt)));
    } else if (this.#unproved > 0 && ++this.#beatsAlone === ALONE_AFTER) {
      this.#goTo(this.now() + this.#unproved);
      this.#unproved = 0;
    }
    return this.#beat(wallAt);
  }

  #goTo(time: number): void {
    this.#offset = time - this.#monotonic();
  }

  #beat(wallAt: number): Beat {
    return { storeAt: this.now(), wallAt, by: this.#me };
  }
}

function within(gap: number): number {
  return Math.min(Math.max(gap, 0), BELIEVED_MS);
}

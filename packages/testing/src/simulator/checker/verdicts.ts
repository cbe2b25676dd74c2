// The invariants by their numbers, and what was found against them.

export type Invariant =
  | '1 log density'
  | '2 log immutability'
  | '3 single copy'
  | '4 author order'
  | '5 settled implies stored'
  | '6 no invention'
  | '7 truthful gaps'
  | '8 no duplicate'
  | '9 agreement'
  | '10 replay exactness'
  | '11 resume seam'
  | '12 epoch honesty'
  | '13 one reader, one lease'
  | '14 isolation'
  | '15 window safety'
  | '16 terminal uniqueness'
  | '17 atomic pairs'
  | '18 bounded resources'
  | '19 liveness'
  | '20 total answers'
  | '21 credit safety'
  | '0 calm seas';

export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
  /** Virtual time, in ms. */
  readonly at: number;
}

/** Takes violations. The first ends the run; what follows it is mostly its echo. */
export class Verdicts {
  readonly violations: Violation[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  violated(invariant: Invariant, what: string): void {
    if (this.violations.length < 5) this.violations.push({ invariant, what, at: this.#now() });
  }

  get any(): boolean {
    return this.violations.length > 0;
  }
}

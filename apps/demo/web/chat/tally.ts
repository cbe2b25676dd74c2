// Keeps count of what the application was handed, so that people can see the promise at work. It trusts nothing: a
// position that comes twice is counted as a repeat, whoever is to blame.

export interface Tally {
  /** The highest position handed over. */
  readonly position: number;
  /** How many entries were handed over. */
  readonly entries: number;
  /** Entries whose position had been handed over before. Should stay 0. */
  readonly repeated: number;
  /** Positions that the server said are no longer kept. */
  readonly missing: number;
  /** How often the connection was lost. */
  readonly losses: number;
  /** How often the session was moved to another transport without a loss. */
  readonly moves: number;
  /** The position at the latest loss: where reading goes on. */
  readonly resumedFrom: number | undefined;
  /** Entries handed over since that resume. */
  readonly sinceResume: number;
  /** The last entries, oldest first: who spoke, a cut or a move. */
  readonly tape: readonly TapeMark[];
}

type TapeMark = 'user' | 'agent' | 'system' | 'cut' | 'move';

const tapeLength = 120;

export const emptyTally: Tally = {
  position: 0,
  entries: 0,
  repeated: 0,
  missing: 0,
  losses: 0,
  moves: 0,
  resumedFrom: undefined,
  sinceResume: 0,
  tape: [],
};

const onTape = (tape: readonly TapeMark[], mark: TapeMark): TapeMark[] => [...tape.slice(1 - tapeLength), mark];

function markOf(channel: string): TapeMark {
  if (channel === 'AGENT') return 'agent';
  return channel === 'USER' ? 'user' : 'system';
}

/** The tally after an entry was handed over. */
export function countEntry(tally: Tally, entry: { readonly position: number; readonly channel: string }): Tally {
  return {
    ...tally,
    position: Math.max(tally.position, entry.position),
    entries: tally.entries + 1,
    repeated: tally.repeated + (entry.position <= tally.position ? 1 : 0),
    sinceResume: tally.sinceResume + (tally.resumedFrom === undefined ? 0 : 1),
    tape: onTape(tally.tape, markOf(entry.channel)),
  };
}

/** The tally after the server named positions that are gone. */
export function countGap(tally: Tally, gap: { readonly first: number; readonly last: number }): Tally {
  return { ...tally, missing: tally.missing + gap.last - gap.first + 1, position: Math.max(tally.position, gap.last) };
}

/** The tally after the connection was lost. */
export function countLoss(tally: Tally): Tally {
  return {
    ...tally,
    losses: tally.losses + 1,
    resumedFrom: tally.position,
    sinceResume: 0,
    tape: tally.tape.at(-1) === 'cut' ? tally.tape : onTape(tally.tape, 'cut'),
  };
}

/** The tally after the session was moved to another transport. */
export function countMove(tally: Tally): Tally {
  return { ...tally, moves: tally.moves + 1, tape: onTape(tally.tape, 'move') };
}

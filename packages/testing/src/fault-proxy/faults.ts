// What a link through the fault proxy can suffer. Types only.

/**
 * How both ends learn that a link is over. `reset`: at once (RST). `fin`: as if each had closed. `silent`: not at all;
 * whatever they write is lost from then on.
 */
export type CutKind = 'reset' | 'fin' | 'silent';

/** `up` is from the client to the target. */
export type Direction = 'up' | 'down';

/** What happens to the bytes of one direction. */
export interface PipeFaults {
  /** How long each byte is under way, in ms. Default 0. */
  readonly latencyMs?: number | undefined;
  /** How many bytes pass in a second. Default: all there are. */
  readonly bytesPerSecond?: number | undefined;
  /** The longest piece that is written at once; a reader in the same process gets each on its own. Default: as it came. */
  readonly sliceBytes?: number | undefined;
  /** Cuts the link when exactly so many bytes went this way, counted from the link's beginning; 0: at once. */
  readonly cutAtByte?: number | undefined;
}

export interface LinkFaults {
  readonly up?: PipeFaults | undefined;
  readonly down?: PipeFaults | undefined;
  /** Cuts the link when nothing went either way for so long, in ms, as a middlebox does. Default: never. */
  readonly idleMs?: number | undefined;
  /** How `cutAtByte` and `idleMs` cut. Default `reset`. */
  readonly cutBy?: CutKind | undefined;
  /** Where the target sees the link come from, say `127.0.0.2`. Taken when the link is made. Default: the system's choice. */
  readonly sourceAddress?: string | undefined;
}

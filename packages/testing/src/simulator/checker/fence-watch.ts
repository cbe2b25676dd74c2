// Whether a session's older connection is ended when it came to another node, invariant 13. Judges only where no word
// between nodes was lost: without it both may live, each right by itself.

import type { Line } from '../network.ts';
import type { Verdicts } from './verdicts.ts';

/** A node says it in the turn in which it lets the session in. */
const MARGIN_MS = 1_000;

export class FenceWatch {
  readonly #verdicts: Verdicts;
  readonly #withinMs: number;
  readonly #wordsLost: () => number;

  /** @param wordsLateMs the longest way of a word; one that comes with the lower attempt is told so by a second one. */
  constructor(verdicts: Verdicts, wordsLateMs: number, wordsLost: () => number) {
    this.#verdicts = verdicts;
    this.#withinMs = 2 * wordsLateMs + MARGIN_MS;
    this.#wordsLost = wordsLost;
  }

  /** A client heard on this line that it is let in. */
  came(line: Line, lines: Iterable<Line>): void {
    for (const other of lines) {
      if (other === line || other.session !== line.session || other.process === line.process) continue;
      // Both nodes must have had the time: one that stands still hears late.
      other.process.after(this.#withinMs, () => line.process.after(this.#withinMs, () => this.#judge(line, other)));
    }
  }

  #judge(line: Line, other: Line): void {
    if (this.#wordsLost() > 0 || line.link.isOver('server') || other.link.isOver('server')) return;
    const { node, session } = line;
    const what = `${other.node.name} still has a connection of session ${session}, which came to ${node.name}`;
    this.#verdicts.violated('13 one reader, one lease', what);
  }
}

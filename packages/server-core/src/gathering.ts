// The text of one turn that waits for the turn of the event loop to end, or for what the store has in hand: of one message at
// a time, so that it is stored in the order it was said. Spec: decisions, 0004.

import type { ServerContext } from './context.ts';
import type { Pen } from './pen.ts';
import type { StreamWriter } from './stream-writer.ts';

export class Gathering {
  readonly #pen: Pen;
  readonly #endOfTurn: ServerContext['endOfTurn'];
  /** The message with text that is not in the log yet. */
  #writer: StreamWriter | undefined;
  /** Whether the end of the turn of the event loop, or of what the store has in hand, is waited for. */
  #isDue = false;

  constructor(pen: Pen, endOfTurn: ServerContext['endOfTurn']) {
    this.#pen = pen;
    this.#endOfTurn = endOfTurn;
  }

  /** This message has text. What another one has goes first. */
  add(writer: StreamWriter): void {
    if (this.#writer === writer) return;
    this.store();
    this.#writer = writer;
    if (this.#isDue) return;
    this.#isDue = true;
    this.#endOfTurn(this.#whenDue);
  }

  /** While the store has its hands full, text goes on gathering. */
  readonly #whenDue = (): void => {
    const resting = this.#pen.atRest();
    if (resting) return void resting.then(this.#whenDue);
    this.#isDue = false;
    this.store();
  };

  /** Stores what there is. */
  store(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.store();
  }
}

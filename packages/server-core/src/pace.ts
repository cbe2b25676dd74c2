// Keeps a tool from writing far ahead of everybody who reads: what it writes is stored at once, and its `write()` ends
// when somebody is near. Costs no promise while somebody is. Spec: §4.1.

import type { LiveLog } from './live-log.ts';
import type { Stop } from './stop.ts';

export class Pace {
  readonly #log: LiveLog;
  readonly #mostBehind: number;
  readonly #stop: Stop;
  readonly #user: string | undefined;
  /** One for all writes that wait. */
  #waiting: Promise<void> | undefined;

  /**
   * @param mostBehind how many entries a reader may be behind and still be near
   * @param stop of the turn: nothing waits any more once it is stopped
   * @param user whose reading counts; absent: everybody's
   */
  constructor(log: LiveLog, mostBehind: number, stop: Stop, user?: string) {
    this.#log = log;
    this.#mostBehind = mostBehind;
    this.#stop = stop;
    this.#user = user;
  }

  /** What was written, and the wait for a reader to come near. */
  after(written: Promise<void>): Promise<void> {
    if (this.#waiting === undefined) {
      if (this.#isNear()) return written;
      this.#waiting = this.#log.audience.until(this.#isNear, this.#stop.signal).then(() => {
        this.#waiting = undefined;
      });
    }
    const waiting = this.#waiting;
    return written.then(() => waiting);
  }

  readonly #isNear = (): boolean => this.#log.audience.reaches(this.#log.last - this.#mostBehind, this.#user);
}

// One commit at a time; what is asked meanwhile goes with the next one. So a store that waits for its disk is as fast
// as many ask it, and nobody waits longer than two commits. Knows nothing of what is committed.

export interface GroupCommitOptions<Work, Answer> {
  /** Does all or nothing of it. Gives an answer for each, in order. */
  commit(works: readonly Work[]): Promise<readonly Answer[]>;
  /** Whether what failed may be the fault of one of several: then each is tried alone, so that it fails alone. */
  mayBeOfOne(error: unknown): boolean;
  /** About how many bytes a work takes. */
  sizeOf(work: Work): number;
  /** After how many bytes a group takes no more. Default 4 MiB. */
  readonly mostBytes?: number | undefined;
  /** Called each time when nothing is waiting or underway any more. */
  idle?(): void;
}

interface Waiting<Work, Answer> {
  readonly work: Work;
  readonly size: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Most works of one commit, and the bytes after which it takes no more unless told otherwise. */
const MOST_WORKS = 1024;
const MOST_BYTES = 4 * 2 ** 20;

export class GroupCommit<Work, Answer> {
  readonly #options: GroupCommitOptions<Work, Answer>;
  #waiting: Waiting<Work, Answer>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: GroupCommitOptions<Work, Answer>) {
    this.#options = options;
  }

  /** Resolves with the answer once it is committed. Rejects when it was not, or nobody knows. */
  add(work: Work): Promise<Answer> {
    const size = this.#options.sizeOf(work);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, size, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves once nothing is waiting or underway. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What is asked in the same stretch goes together.
    await undefined;
    while (this.#waiting.length > 0) await this.#commit(this.#nextGroup());
    this.#running = undefined;
    this.#options.idle?.();
  }

  #nextGroup(): Waiting<Work, Answer>[] {
    const { mostBytes = MOST_BYTES } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const { size } of this.#waiting) {
      if (count === MOST_WORKS || bytes >= mostBytes) break;
      bytes += size;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(group: readonly Waiting<Work, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.commit(group.map(({ work }) => work));
      for (const [i, { resolve }] of group.entries()) resolve(answers[i] as Answer);
    } catch (error) {
      if (group.length > 1 && this.#options.mayBeOfOne(error)) for (const one of group) await this.#commit([one]);
      else for (const { reject } of group) reject(error);
    }
  }
}

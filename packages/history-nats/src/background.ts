/** Work that nobody waits for. That some of it fails costs nobody anything: it is done again with the next of its kind. */
export class Background {
  readonly #underway = new Set<Promise<void>>();

  add(work: Promise<unknown>): void {
    const done = work.then(
      () => {},
      () => {},
    );
    this.#underway.add(done);
    void done.then(() => this.#underway.delete(done));
  }

  /** Resolves when none is underway. */
  async idle(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }
}

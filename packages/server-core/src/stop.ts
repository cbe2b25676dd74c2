// A way to stop something, whose AbortSignal is made only when somebody asks for it: most handshakes and most turns of a
// simple tool never do, and an AbortController is dear. Stops once.

export class Stop {
  #controller: AbortController | undefined;
  #stopped: { readonly reason: unknown } | undefined;
  #told: (() => void) | undefined;

  /** Calls `tell` once it is stopped; at once if it was. One at a time: a later one takes the place of the one before. */
  whenStopped(tell: () => void): void {
    this.#told = tell;
    if (this.#stopped) tell();
  }

  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  get reason(): unknown {
    return this.#stopped?.reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#stopped) this.#controller.abort(this.#stopped.reason);
    }
    return this.#controller.signal;
  }

  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = { reason };
    this.#controller?.abort(reason);
    this.#told?.();
  }
}

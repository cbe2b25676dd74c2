// Sends a client's lines upstream: one POST at a time, and what gathers meanwhile goes in the next. A POST whose answer
// was lost goes again as it was. Never reads an envelope. Part of what a browser loads: it stays small. Spec: §7.

/** What the posts ask of the link they belong to. */
export interface PostsOwner {
  /** A POST of `body`, which is empty when only a sign of life is wanted. */
  post(body: string): Promise<Response>;
  /** No POST will be taken any more. */
  refused(status: number): void;
}

const highWaterChars = 65_536;
/** A server takes 1 MiB; a character has at most three bytes. */
const mostChars = 262_144;
const mostTries = 7;
const firstRetryMs = 100;

export class ClientPosts {
  readonly #owner: PostsOwner;
  #lines: string[] = [];
  #waitingChars = 0;
  #isBusy = false;
  #signOfLife = false;
  #drained: Promise<void> | undefined;
  #tellDrained: (() => void) | undefined;
  #tries = 0;
  /** Nothing goes out before there is an address, nor after the end. */
  isOpen = false;

  constructor(owner: PostsOwner) {
    this.#owner = owner;
  }

  /** Takes a line. A promise while too many wait. */
  add(line: string): Promise<void> | undefined {
    this.#lines.push(line);
    this.#waitingChars += line.length;
    void this.go();
    if (this.#waitingChars < highWaterChars) return undefined;
    this.#drained ??= new Promise((resolve) => {
      this.#tellDrained = resolve;
    });
    return this.#drained;
  }

  /** Asks the server for a sign of life. */
  probe(): void {
    this.#signOfLife = true;
    void this.go();
  }

  /** Takes the lines that go first, out of the queue. */
  takeFirst(): string {
    const lines = this.#batch();
    this.#drop(lines.length);
    return lines.join('\n');
  }

  /** Sends what waits. */
  async go(): Promise<void> {
    if (this.#isBusy || !this.isOpen) return;
    this.#isBusy = true;
    // What is sent in one turn goes in one POST.
    await undefined;
    while (this.isOpen && (this.#lines.length > 0 || this.#signOfLife)) await this.#post();
    this.#isBusy = false;
  }

  stop(): void {
    this.isOpen = false;
    this.#tellDrained?.();
  }

  #batch(): string[] {
    let chars = 0;
    const end = this.#lines.findIndex((line, i) => {
      chars += line.length;
      return i > 0 && chars > mostChars;
    });
    return this.#lines.slice(0, end < 0 ? undefined : end);
  }

  #drop(count: number): void {
    for (const line of this.#lines.splice(0, count)) this.#waitingChars -= line.length;
    if (this.#waitingChars >= highWaterChars) return;
    this.#tellDrained?.();
    this.#drained = undefined;
  }

  async #post(): Promise<void> {
    const lines = this.#batch();
    this.#signOfLife = false;
    let retryMs = firstRetryMs << this.#tries++;
    try {
      const response = await this.#owner.post(lines.join('\n'));
      const { status, ok } = response;
      const { taken } = await response.json().catch(() => ({}));
      if (taken >= 0) {
        this.#tries = 0;
        // The line that was refused has its answer on the stream.
        return this.#drop(taken + (ok ? 0 : 1));
      }
      if ([401, 404, 405, 413, 415].includes(status)) this.#tries = mostTries;
      retryMs = Number(response.headers.get('retry-after')) * 1000 || retryMs;
      if (this.#tries >= mostTries) return this.#refuse(status);
    } catch {
      // The link is broken, or the answer was lost: what was taken is told by its numbers.
      if (this.#tries >= mostTries) return this.#refuse(0);
    }
    if (this.isOpen) await new Promise((resolve) => setTimeout(resolve, retryMs));
  }

  #refuse(status: number): void {
    this.stop();
    this.#owner.refused(status);
  }
}

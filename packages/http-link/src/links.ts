// Joins POSTs to their stream by a secret address, keeps quiet streams alive, and remembers for a while who was refused.
// Owns one timer, which runs while there is somebody to keep. Never logs an address. Spec: §2, §7.

import { backgroundInterval } from './background-interval.ts';
import type { Posts } from './posts.ts';
import { randomText } from './random-text.ts';
import type { ServerLink } from './server-link.ts';

const refusedMs = 30_000;

export interface JoinedLink {
  readonly link: ServerLink;
  readonly posts: Posts;
}

export class Links {
  readonly #open = new Map<string, JoinedLink>();
  /** The status of those that were refused, and how many beats it is still told. */
  readonly #refused = new Map<string, { readonly status: number; beatsLeft: number }>();
  readonly #beatMs: number;
  /** Goes before each secret: who keeps it. */
  readonly #prefix: string;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * A stream says something at least every `keepAliveMs`.
   *
   * @param owner named in the addresses; left out where nobody but this process is asked for them
   */
  constructor(keepAliveMs: number, owner?: string) {
    this.#beatMs = keepAliveMs / 2;
    this.#prefix = owner === undefined ? '' : `${owner}.`;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Keeps a link until it ends, and gives its address: the owner, if that is named, and a secret of 192 bits. */
  add(joined: JoinedLink): string {
    const address = this.#prefix + randomText(24);
    this.#open.set(address, joined);
    this.#timer ??= backgroundInterval(() => this.#beat(), this.#beatMs);
    void joined.link.closed.then(() => this.#open.delete(address));
    void joined.link.verdict.then((status) => {
      // Who is told the address only after the verdict was never told it.
      if (status !== 200 && status !== 404 && joined.link.address === undefined) {
        this.#refused.set(address, { status, beatsLeft: Math.ceil(refusedMs / this.#beatMs) + 1 });
      }
    });
    return address;
  }

  /** The link of an address; else the status that answers it, the same for an address that never was. */
  find(address: string): JoinedLink | number {
    const refused = this.#refused.get(address)?.status;
    return refused ?? this.#open.get(address) ?? 404;
  }

  #beat(): void {
    for (const { link } of this.#open.values()) link.beat();
    for (const [address, refused] of this.#refused) if (--refused.beatsLeft <= 0) this.#refused.delete(address);
    if (this.#open.size + this.#refused.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

// Joins POSTs to their stream by a secret address, keeps quiet streams alive, and remembers for a while who was refused.
// Owns one timer, which runs while there is somebody to keep. Never logs an address. Spec: §2, §7.

import { toBase64 } from '@haip/protocol';
import type { Posts } from './posts.ts';
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
  #timer: ReturnType<typeof setInterval> | undefined;

  /** A stream says something at least every `keepAliveMs`. */
  constructor(keepAliveMs: number) {
    this.#beatMs = keepAliveMs / 2;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Keeps a link until it ends, and gives its secret: 192 bits. */
  add(joined: JoinedLink): string {
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    const secret = toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_');
    this.#open.set(secret, joined);
    this.#timer ??= startTimer(() => this.#beat(), this.#beatMs);
    void joined.link.closed.then(() => this.#open.delete(secret));
    void joined.link.verdict.then((status) => {
      // Who is told the address only after the verdict was never told it.
      if (status !== 200 && status !== 404 && joined.link.address === undefined) {
        this.#refused.set(secret, { status, beatsLeft: Math.ceil(refusedMs / this.#beatMs) + 1 });
      }
    });
    return secret;
  }

  /** The link of an address; else the status that answers it, the same for an address that never was. */
  find(secret: string): JoinedLink | number {
    const refused = this.#refused.get(secret)?.status;
    return refused ?? this.#open.get(secret) ?? 404;
  }

  #beat(): void {
    for (const { link } of this.#open.values()) link.beat();
    for (const [secret, refused] of this.#refused) if (--refused.beatsLeft <= 0) this.#refused.delete(secret);
    if (this.#open.size + this.#refused.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** It keeps no process alive where the platform lets us say so. */
function startTimer(tick: () => void, ms: number): ReturnType<typeof setInterval> {
  const timer = setInterval(tick, ms);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

// Entries that were stored or read lately, by the link they came with, up to so many bytes: readers mostly ask for what
// has just been written.

import { OVERHEAD } from '@haip/history-engine';
import type { Entry } from '@haip/protocol';

export class EntryCache {
  readonly #mostBytes: number;
  /** The one that was used last comes last. */
  readonly #links = new Map<number, { readonly entries: readonly Entry[]; readonly bytes: number }>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  add(link: number, entries: readonly Entry[]): void {
    const bytes = entries.reduce((sum, { size }) => sum + size + OVERHEAD, 0);
    this.#delete(link);
    this.#links.set(link, { entries, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#links.keys()) {
      if (this.#bytes <= this.#mostBytes || oldest === link) break;
      this.#delete(oldest);
    }
  }

  /** All the entries of a link. */
  get(link: number): readonly Entry[] | undefined {
    const found = this.#links.get(link);
    if (found === undefined) return undefined;
    this.#links.delete(link);
    this.#links.set(link, found);
    return found.entries;
  }

  clear(): void {
    this.#links.clear();
    this.#bytes = 0;
  }

  #delete(link: number): void {
    const found = this.#links.get(link);
    if (found === undefined) return;
    this.#links.delete(link);
    this.#bytes -= found.bytes;
  }
}

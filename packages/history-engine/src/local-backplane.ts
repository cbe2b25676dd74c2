// The backplane of a store that one process has for itself: whoever listens is in this process. Never loses a word,
// never calls back before the caller is done.

import type { Backplane } from '@haip/protocol';

type Heard = (body: Uint8Array) => void;

export class LocalBackplane implements Backplane {
  readonly #topics = new Map<string, Set<Heard>>();

  async notify(topic: string, body: Uint8Array): Promise<void> {
    await undefined;
    for (const heard of this.#topics.get(topic) ?? []) heard(body);
  }

  listen(topic: string, heard: Heard): () => void {
    const all = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, all);
    // A listener of its own for each call, also of the same function.
    const own: Heard = (body) => heard(body);
    all.add(own);
    return () => {
      all.delete(own);
      if (all.size === 0 && this.#topics.get(topic) === all) this.#topics.delete(topic);
    };
  }
}

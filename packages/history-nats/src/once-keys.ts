// Where messages are, by their author and id. Users' are kept as long as the log says; the agent's are its server's own,
// needed while that server may try again: kept like a user's, the parts of compacted answers would outweigh the log.

import { onceKey, type Place } from '@haip/history-engine';

interface Kept extends Place {
  /** When it was stored, in ms of the store's time. */
  readonly at: number;
}

export type SavedKey = readonly [key: string, position: number, digest: string, at: number];

/** How many of the agent's newest ids are remembered at least: more than any append holds that may be tried again. */
const AGENT_IDS = 1024;

export class OnceKeys {
  readonly #users = new Map<string, Kept>();
  #agents = new Map<string, Kept>();
  #olderAgents = new Map<string, Kept>();

  get size(): number {
    return this.#users.size + this.#agents.size + this.#olderAgents.size;
  }

  /** @param author user id, or `''` for the agent. */
  find(author: string, id: string): Place | undefined {
    const key = onceKey(author, id);
    return author === '' ? (this.#agents.get(key) ?? this.#olderAgents.get(key)) : this.#users.get(key);
  }

  add(author: string, id: string, place: Kept): void {
    const key = onceKey(author, id);
    if (author !== '') {
      this.#users.set(key, place);
      return;
    }
    this.#agents.set(key, place);
    if (this.#agents.size < AGENT_IDS) return;
    this.#olderAgents = this.#agents;
    this.#agents = new Map();
  }

  /** Forgets what was stored at `before` or earlier, and is below position `first`. */
  forget(before: number, first: number): void {
    for (const [key, { at, position }] of this.#users) if (at <= before && position < first) this.#users.delete(key);
  }

  save(): SavedKey[][] {
    return [this.#users, this.#olderAgents, this.#agents].map((keys) =>
      [...keys].map(([key, { position, digest, at }]) => [key, position, digest, at] as const),
    );
  }

  static restore([users = [], olderAgents = [], agents = []]: readonly (readonly SavedKey[])[]): OnceKeys {
    const keys = new OnceKeys();
    const fill = (map: Map<string, Kept>, saved: readonly SavedKey[]): void => {
      for (const [key, position, digest, at] of saved) map.set(key, { position, digest, at });
    };
    fill(keys.#users, users);
    fill(keys.#olderAgents, olderAgents);
    fill(keys.#agents, agents);
    return keys;
  }
}

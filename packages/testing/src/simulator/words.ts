// Words from node to node beside the log, as a shared store carries them: hints, which chance loses, delays and doubles.
// Keeps none. Spec: §7.4.

import type { Backplane } from '@haip/protocol';
import type { Chance } from './chance.ts';
import type { Host } from './world.ts';

/** What chance may do to a word. */
export interface WordWeather {
  /** The probability that one listener does not hear it. */
  wordsLost: number;
  /** Longest way. */
  wordsLateMs: number;
}

interface Listener {
  readonly host: Host;
  readonly heard: (body: Uint8Array) => void;
}

export class Words {
  /** How many nobody heard who listened. */
  lost = 0;
  readonly #chance: Chance;
  readonly #weather: () => WordWeather;
  readonly #topics = new Map<string, Set<Listener>>();

  constructor(chance: Chance, weather: () => WordWeather) {
    this.#chance = chance;
    this.#weather = weather;
  }

  /** As one node has them. */
  view(host: Host): Backplane {
    return {
      notify: (topic, body) => {
        if (host.alive) this.#tell(topic, body);
      },
      listen: (topic, heard) => {
        const listener = { host, heard };
        const listeners = this.#topics.get(topic) ?? new Set();
        this.#topics.set(topic, listeners.add(listener));
        return () => void listeners.delete(listener);
      },
    };
  }

  #tell(topic: string, body: Uint8Array): void {
    const { wordsLost, wordsLateMs } = this.#weather();
    for (const { host, heard } of this.#topics.get(topic) ?? []) {
      if (this.#chance.happens(wordsLost)) {
        this.lost++;
        continue;
      }
      for (let times = this.#chance.pick([1, 1, 1, 2]); times > 0; times--) {
        host.after(this.#chance.between(0, wordsLateMs), () => heard(body));
      }
    }
  }
}

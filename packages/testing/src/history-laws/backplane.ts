// Laws on the word that goes from node to node beside the log. It may be lost, so each is told until it is heard. Spec: §7.

import type { HistoryStore } from '@haip/protocol';
import { expect } from 'vitest';
import { freshId, type HistoryLaw } from './context.ts';

/** More than the longest POST: a line with 1 MiB of audio as base64. */
const LONGEST = 2 * 2 ** 20;

/** Tells again what may have come before anybody listened. */
async function tellUntil(from: HistoryStore, topic: string, body: Uint8Array, isHeard: () => boolean): Promise<void> {
  for (let times = 0; times < 200; times++) {
    await from.notify(topic, body);
    for (let looks = 0; looks < 10; looks++) {
      if (isHeard()) return;
      // A real engine takes real time.
      await new Promise((resolve) => setTimeout(resolve, looks));
    }
  }
  throw new Error(`nobody heard what was told to ${topic}`);
}

/** What a topic hears once something gets through, on `to` of what is told on `from`. */
async function toldUntilHeard(
  from: HistoryStore,
  to: HistoryStore,
  topic: string,
  body: Uint8Array,
): Promise<Uint8Array> {
  const heard: Uint8Array[] = [];
  const stop = to.listen(topic, (word) => heard.push(word));
  try {
    await tellUntil(from, topic, body, () => heard.length > 0);
    return heard[0] as Uint8Array;
  } finally {
    stop();
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

const anyBytes = new Uint8Array(256).map((_, i) => i);

export const backplaneLaws: readonly HistoryLaw[] = [
  {
    name: 'what is told to a topic whoever listens to it hears, byte by byte',
    async run({ store }) {
      const history = await store();
      const heard = await toldUntilHeard(history, history, freshId('node'), anyBytes);
      expect(isSame(heard, anyBytes)).toBe(true);
    },
  },
  {
    name: 'what is told in one process another one hears: nothing, a little, and 2 MiB',
    needs: ({ shared }) => shared,
    async run({ store, twin }) {
      const history = await store();
      const other = await twin(history);
      const long = new Uint8Array(LONGEST).map((_, i) => (i * 31) % 251);
      for (const body of [new Uint8Array(), anyBytes, long]) {
        const heard = await toldUntilHeard(history, other, freshId('node'), body);
        expect(isSame(heard, body)).toBe(true);
      }
    },
  },
  {
    name: 'A68, A69: a topic is its own name and no pattern: others hear nothing of it',
    async run({ store }) {
      const history = await store();
      const own = freshId('a.b:c-d_');
      const others = [own.replace('a.b', 'a.x'), `${own}.x`, own.toUpperCase(), own.slice(0, -1)];
      const heard: string[] = [];
      const stops = others.map((topic) => history.listen(topic, () => heard.push(topic)));
      await toldUntilHeard(history, history, own, anyBytes);
      // Had these heard it, they would have before this.
      for (const topic of others) await toldUntilHeard(history, history, topic, anyBytes);
      expect(new Set(heard)).toEqual(new Set(others));
      const before = heard.length;
      await toldUntilHeard(history, history, own, anyBytes);
      await toldUntilHeard(history, history, freshId('last'), anyBytes);
      expect(heard).toHaveLength(before);
      for (const stop of stops) stop();
    },
  },
  {
    name: 'all who listen hear, and who stopped hears nothing; stopping twice is fine',
    async run({ store }) {
      const history = await store();
      const topic = freshId('node');
      const heard: string[] = [];
      const listeners = ['first', 'second', 'third'];
      const [stopFirst, ...stops] = listeners.map((name) => history.listen(topic, () => heard.push(name)));
      await tellUntil(history, topic, anyBytes, () => new Set(heard).size === 3);
      stopFirst?.();
      stopFirst?.();
      heard.length = 0;
      await tellUntil(history, topic, anyBytes, () => heard.includes('third'));
      expect(heard).not.toContain('first');
      for (const stop of stops) stop();
    },
  },
];

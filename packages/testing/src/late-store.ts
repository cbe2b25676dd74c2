// A history store whose answers come at once or late, as chance has it, and fail when told to: to show that whoever
// uses one goes one path for both. Keeps nothing itself.

import type { Draft, HistoryStore, Random } from '@haip/protocol';
import { settle } from './settle.ts';

/** What chance may do, each a probability from 0 to 1. May be changed at any time. */
export interface LateStoreKnobs {
  /** The answer is a promise that comes some turns of the event loop later. Default 0.5. */
  late: number;
  /** Nothing happens and the answer is a rejection. Default 0. */
  failBefore: number;
  /** It happens and the answer is a rejection: the outcome is unknown to the caller. Default 0. */
  failAfterCommit: number;
}

export interface LateStore extends HistoryStore, LateStoreKnobs {}

const answering = [
  'create',
  'get',
  'list',
  'append',
  'find',
  'read',
  'head',
  'heads',
  'revoke',
  'compact',
  'lease',
  'saveLease',
] as const;

/** @param random say a seeded generator, so that a failing run can be repeated. */
export function lateStore(store: HistoryStore, random: Random, knobs: Partial<LateStoreKnobs> = {}): LateStore {
  const chance: LateStoreKnobs = { late: 0.5, failBefore: 0, failAfterCommit: 0, ...knobs };

  function failure(name: string, when: string): Error {
    return new Error(`history: ${name} failed ${when}, as the test wants`);
  }

  async function answerLate(name: string, call: () => unknown, isFailing: boolean, turns: number): Promise<unknown> {
    // Half of the late ones take effect at once, the others when they answer.
    const isDoneFirst = turns % 2 === 0;
    const early = isDoneFirst ? Promise.resolve(call()) : undefined;
    // Awaited below; until then its rejection is nobody's.
    early?.catch(() => {});
    await settle(turns);
    const answer = await (isDoneFirst ? early : call());
    if (isFailing) throw failure(name, 'after it was done');
    return answer;
  }

  function wrapped(name: (typeof answering)[number]): (...args: unknown[]) => unknown {
    const method = store[name] as (...args: unknown[]) => unknown;
    return (...args) => {
      if (random() < chance.failBefore) return Promise.reject(failure(name, 'before anything was done'));
      const isFailing = random() < chance.failAfterCommit;
      const call = () => method.apply(store, args);
      if (random() >= chance.late && !isFailing) return call();
      const answer = answerLate(name, call, isFailing, 1 + Math.floor(random() * 4));
      return isFailing && name === 'append' ? answer.catch((error) => forget(args[1] as Draft[], error)) : answer;
    };
  }

  /** A caller whose append failed must not find outcomes in its drafts. */
  function forget(drafts: readonly Draft[], error: unknown): never {
    for (const draft of drafts) draft.outcome = undefined;
    throw error;
  }

  const methods = Object.fromEntries(answering.map((name) => [name, wrapped(name)]));
  return Object.assign(chance, methods, {
    supports: store.supports,
    watch: (...hints: Parameters<HistoryStore['watch']>) => store.watch(...hints),
    notify: (...told: Parameters<HistoryStore['notify']>) => store.notify(...told),
    listen: (...wanted: Parameters<HistoryStore['listen']>) => store.listen(...wanted),
    close: () => store.close(),
  }) as unknown as LateStore;
}

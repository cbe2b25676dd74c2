// Judges a log by what was stored in it alone: each run, call, message and transaction ends once, and nothing of it comes
// after that. Shares no code with the server, the store or the reducer. Spec: invariant 16.

import type { Entry } from '@haip/protocol';

type Step = 'begin' | 'more' | 'end';

/** What an entry is about and what it does to it. A wish to stop something is nothing of that thing. */
function touches({ type, payload, run_id, user }: Entry): [thing: string, step: Step][] {
  const { message_id, call_id, status, ask } = (payload ?? {}) as Record<string, unknown>;
  const own = ((): [string, Step][] => {
    if (type === 'TRANSACTION_END') return [['transaction', 'end']];
    if (type === 'RUN_STARTED') return [[`run ${run_id}`, 'begin']];
    if (type === 'RUN_FINISHED' || type === 'RUN_ERROR') return [[`run ${run_id}`, 'end']];
    if (type === 'MESSAGE_START') return [[`message ${message_id}`, 'begin']];
    if (type === 'MESSAGE_PART') return [[`message ${message_id}`, 'more']];
    if (type === 'MESSAGE_END') return [[`message ${message_id}`, 'end']];
    if (type === 'TOOL_CALL') return [[`call ${call_id}`, 'begin']];
    if (type === 'TOOL_DONE') return [[`call ${call_id}`, 'end']];
    if (type !== 'TOOL_UPDATE') return [];
    const more: [string, Step] = [`call ${call_id}`, 'more'];
    if (status === 'APPROVED' || status === 'DENIED') return [more, [`question of ${call_id}`, 'end']];
    return ask === undefined ? [more] : [more, [`question of ${call_id}`, 'begin']];
  })();
  const ofRun = user === null && run_id !== undefined && !own.some(([thing]) => thing === `run ${run_id}`);
  return ofRun ? [[`run ${run_id}`, 'more'], ...own] : own;
}

/** What is wrong with a log that was read from its first entry on, nothing of it trimmed or compacted. */
export function brokenTerminals(entries: readonly Entry[]): string[] {
  const state = new Map<string, 'open' | 'ended'>([['transaction', 'open']]);
  const faults: string[] = [];
  for (const entry of entries) {
    if (state.get('transaction') === 'ended') faults.push(`${entry.position}: ${entry.type} after the transaction`);
    for (const [thing, step] of touches(entry)) {
      const before = state.get(thing);
      if (before === 'ended') faults.push(`${entry.position}: ${entry.type} after the end of ${thing}`);
      else if (step === 'begin' && before === 'open') faults.push(`${entry.position}: ${thing} begins twice`);
      else if (step !== 'begin' && before === undefined)
        faults.push(`${entry.position}: ${entry.type} before ${thing}`);
      state.set(thing, step === 'end' || before === 'ended' ? 'ended' : 'open');
    }
  }
  return faults;
}

/** What of an agent's has no end; nothing when the whole transaction has one. */
export function leftOpen(entries: readonly Entry[]): string[] {
  if (entries.some(({ type }) => type === 'TRANSACTION_END')) return [];
  const open = new Set<string>();
  for (const entry of entries) {
    for (const [thing, step] of touches(entry)) {
      if (step === 'begin' && entry.user === null && !thing.startsWith('question')) open.add(thing);
      if (step === 'end') open.delete(thing);
    }
  }
  return [...open];
}

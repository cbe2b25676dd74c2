// The process that is killed: it appends without end and says what was settled. Each line on its way out was written before
// the next thing happens: what the parent reads was settled.

import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Draft, HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from './drafts.ts';

export interface WriterOptions {
  /** What an author appends at once. Default: AUDIO of 100 bytes and a MESSAGE. */
  readonly draftsOf?: (author: string) => readonly Draft[];
  /** Whether who has no answer tries the same again. Default: that ends the process. */
  readonly isPatient?: boolean;
}

const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const audioAndText = (user: string): readonly Draft[] => [
  draft({ user, type: 'AUDIO', bytes: new Uint8Array(100).fill(7) }),
  draft({ user }),
];

/** Creates the transaction and appends to it for four authors at once, so that commits are of groups. Never resolves. */
export async function writeForEver(
  history: HistoryStore,
  transaction: string,
  { draftsOf = audioAndText, isPatient = false }: WriterOptions = {},
): Promise<void> {
  const record = recordOf(transaction);
  const { epoch } = await history.create(record, startOf(record));
  say({ epoch });
  const append = async (drafts: readonly Draft[]): Promise<void> => {
    if (!isPatient) return history.append(transaction, drafts);
    for (;;) {
      try {
        return await history.append(transaction, drafts);
      } catch {
        await pause(20);
      }
    }
  };
  const write = async (author: string): Promise<never> => {
    for (;;) {
      const drafts = draftsOf(author);
      await append(drafts);
      for (const { id, outcome } of drafts) say({ author, id, outcome });
    }
  };
  await Promise.all(['ann', 'bob', 'cleo', 'dan'].map(write));
}

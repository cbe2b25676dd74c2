// A process that appends without end and says what was settled, to be killed in the middle. Each line on its way out
// was written before the next thing happens: what the parent reads was settled.

import { writeSync } from 'node:fs';
import { openHistory } from '../src/nats-history.ts';
import { draft, recordOf, startOf } from './drafts.ts';

const [servers = '', name = '', transaction = ''] = process.argv.slice(2);
// Small, so that it is killed in the middle of parts, snapshots and removals, too.
const sizes = { inlineBytes: 2000, partBytes: 3000, trail: 8, snapshotEvery: 10, garbageBytes: 100_000 };
const history = await openHistory({ servers, name, windowSize: 1_000_000, maxBytes: 2 ** 30 }, sizes);
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const record = recordOf(transaction);
const { epoch } = await history.create(record, startOf(record));
say({ epoch });

/** Several at once, so that links are of groups. */
async function appendForEver(author: string): Promise<never> {
  for (;;) {
    const drafts = [
      draft({ user: author, type: 'AUDIO', bytes: new Uint8Array(1000).fill(7) }),
      draft({ user: author, type: 'TRANSACTION_JOIN', payload: {} }),
    ];
    await history.append(transaction, drafts);
    for (const { id, outcome } of drafts) say({ author, id, outcome });
  }
}
for (const author of ['ann', 'bob', 'cleo', 'dan']) void appendForEver(author);

// A process that appends without end and says what was settled, to be killed in the middle. Each line on its way out
// was written before the next thing happens: what the parent reads was settled.

import { writeSync } from 'node:fs';
import { postgresHistory } from '../src/index.ts';
import { draft, recordOf, startOf } from './drafts.ts';

const [connectionString = '', schema = '', transaction = ''] = process.argv.slice(2);
const history = postgresHistory({ connectionString, schema, windowSize: 1_000_000, maxBytes: 2 ** 30 });
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const record = recordOf(transaction);
const { epoch } = await history.create(record, startOf(record));
say({ epoch });

/** Several at once, so that commits are of groups. */
async function appendForEver(author: string): Promise<never> {
  for (;;) {
    const drafts = [
      draft({ user: author, type: 'AUDIO', bytes: new Uint8Array(100).fill(7) }),
      draft({ user: author }),
    ];
    await history.append(transaction, drafts);
    for (const { id, outcome } of drafts) say({ author, id, outcome });
  }
}
for (const author of ['ann', 'bob', 'cleo', 'dan']) void appendForEver(author);

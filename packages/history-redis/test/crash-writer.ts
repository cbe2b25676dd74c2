// A process that appends without end and says what was settled, to be killed in the middle. Each line on its way out
// was written before the next thing happens: what the parent reads was settled.

import { writeSync } from 'node:fs';
import { redisHistory } from '../src/index.ts';
import { draft, recordOf, startOf } from './drafts.ts';

const [url = '', prefix = '', transaction = ''] = process.argv.slice(2);
const history = await redisHistory({ url, prefix, windowSize: 1_000_000, maxBytes: 2 ** 30, logger: () => {} });
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const record = recordOf(transaction);
const { epoch } = await history.create(record, startOf(record));
say({ epoch });

/** Several at once, so that many are underway. Who has no answer tries the same again. */
async function appendForEver(author: string): Promise<never> {
  for (;;) {
    const drafts = [
      draft({ user: author, type: 'AUDIO', bytes: new Uint8Array(100).fill(7) }),
      draft({ user: author }),
    ];
    for (let isStored = false; !isStored; ) {
      try {
        await history.append(transaction, drafts);
        isStored = true;
      } catch {
        await new Promise((later) => setTimeout(later, 20));
      }
    }
    for (const { id, outcome } of drafts) say({ author, id, outcome });
  }
}
for (const author of ['ann', 'bob', 'cleo', 'dan']) void appendForEver(author);

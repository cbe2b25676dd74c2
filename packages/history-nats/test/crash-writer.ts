// A process that appends without end, to be killed in the middle.

import { draft, writeForEver } from '@haip/testing/store-kit';
import { openHistory } from '../src/nats-history.ts';

const [servers = '', name = '', transaction = ''] = process.argv.slice(2);
// Small, so that it is killed in the middle of parts, snapshots and removals, too.
const sizes = { inlineBytes: 2000, partBytes: 3000, trail: 8, snapshotEvery: 10, garbageBytes: 100_000 };
const history = await openHistory({ servers, name, windowSize: 1_000_000, maxBytes: 2 ** 30 }, sizes);
await writeForEver(history, transaction, {
  draftsOf: (user) => [
    draft({ user, type: 'AUDIO', bytes: new Uint8Array(1000).fill(7) }),
    draft({ user, type: 'TRANSACTION_JOIN', payload: {} }),
  ],
});

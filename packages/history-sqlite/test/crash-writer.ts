// A process that appends without end, to be killed in the middle.

import { writeForEver } from '@haip/testing/store-kit';
import { sqliteHistory } from '../src/index.ts';

const [path = '', transaction = ''] = process.argv.slice(2);
await writeForEver(sqliteHistory({ path, windowSize: 1_000_000, maxBytes: 2 ** 30 }), transaction);

// A process that appends without end, to be killed in the middle.

import { writeForEver } from '@haip/testing/store-kit';
import { postgresHistory } from '../src/index.ts';

const [connectionString = '', schema = '', transaction = ''] = process.argv.slice(2);
const history = postgresHistory({ connectionString, schema, windowSize: 1_000_000, maxBytes: 2 ** 30 });
await writeForEver(history, transaction);

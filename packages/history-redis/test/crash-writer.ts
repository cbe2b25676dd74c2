// A process that appends without end, to be killed in the middle.

import { writeForEver } from '@haip/testing/store-kit';
import { redisHistory } from '../src/index.ts';

const [url = '', prefix = '', transaction = ''] = process.argv.slice(2);
const history = await redisHistory({ url, prefix, windowSize: 1_000_000, maxBytes: 2 ** 30, logger: () => {} });
await writeForEver(history, transaction, { isPatient: true });

import type { Ids, Random } from '@haip/protocol';
import { v4 } from 'uuid';

/** UUID v4. From the uuid package, because `crypto.randomUUID` is missing on pages served over plain http. */
export const uuidIds: Ids = () => v4();

export const systemRandom: Random = () => Math.random();

// Ids and the random numbers for jitter.

import type { Ids, Random } from '@haip/protocol';
import { uuid } from '#uuid';

/** UUID v4, also on pages over plain http. */
export const uuidIds: Ids = uuid;

/** For jitter; no secret. */
export const systemRandom: Random = () => Math.random();

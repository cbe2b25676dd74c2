import type { Wake } from '@haip/protocol';
import { wakeSignals as ofPlatform } from '#wake';

/** A page that is seen again, a network that is back: in a browser. Elsewhere nothing. */
export const wakeSignals: Wake = ofPlatform;

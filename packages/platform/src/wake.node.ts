// Node is told by nobody that it slept: the heartbeat notices by its own timer.

import type { Wake } from '@haip/protocol';

export const wakeSignals: Wake = () => () => {};

// HAIP's own server, client and store, as the simulator takes them.

import { HAIPClient } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import { HAIPServer, memoryLedger } from '@haip/server-core';
import type { SimulatedParts } from '@haip/testing/simulator';

export const parts: SimulatedParts = {
  server: (options) => new HAIPServer(options),
  client: (options) => new HAIPClient(options),
  store: (options) => memoryHistory(options),
  ledger: (options) => memoryLedger(options),
};

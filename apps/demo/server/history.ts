// Where the demo keeps what is said: one SQLite file, or a Redis that several demos share. Choosing another store is all
// it takes: nothing else here knows which one it is.

import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { redisHistory } from '@haip/history-redis';
import { sqliteHistory } from '@haip/history-sqlite';
import type { HistoryStore } from '@haip/protocol';

const usualFile = fileURLToPath(new URL('../.data/conversations.db', import.meta.url));

/** Words are kept for 30 days, the last 1,000 messages of each conversation. */
const kept = { windowSize: 1000, windowTime: '30d' } as const;

/**
 * Opens a file, made when it is not there. Whoever opens it closes it.
 *
 * @param asked its place, from the working directory; left out or empty, `.data/conversations.db` in the demo's folder
 * @throws Error for a file that cannot be used, among them one that another demo has open.
 */
export function historyInFile(asked?: string): HistoryStore {
  const path = asked ? resolve(asked) : usualFile;
  try {
    mkdirSync(dirname(path), { recursive: true });
    return sqliteHistory({ path, ...kept });
  } catch (cause) {
    throw new Error(`HAIP_DB: ${(cause as Error).message.replace(/^path: /, '')}`, { cause });
  }
}

/** Opens the Redis that `HAIP_REDIS_URL` names, else the file that `HAIP_DB` names. */
export async function openHistory(env: NodeJS.ProcessEnv): Promise<HistoryStore> {
  const url = env['HAIP_REDIS_URL'];
  return url ? redisHistory({ url, prefix: 'haip-demo', ...kept }) : historyInFile(env['HAIP_DB']);
}

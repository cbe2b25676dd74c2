// Where the demo keeps what is said: one SQLite file, so that conversations go on after a restart of the server.

import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sqliteHistory } from '@haip/history-sqlite';
import type { HistoryStore } from '@haip/protocol';

const usualFile = fileURLToPath(new URL('../.data/conversations.db', import.meta.url));

/**
 * Opens the file, made when it is not there. Whoever opens it closes it.
 *
 * @param asked its place, from the working directory; left out or empty, `.data/conversations.db` in the demo's folder
 * @throws Error for a file that cannot be used, among them one that another demo has open.
 */
export function openConversations(asked?: string): HistoryStore {
  const path = asked ? resolve(asked) : usualFile;
  try {
    mkdirSync(dirname(path), { recursive: true });
    return sqliteHistory({ path, windowSize: 1000, windowTime: '30d' });
  } catch (cause) {
    throw new Error(`HAIP_DB: ${(cause as Error).message.replace(/^path: /, '')}`, { cause });
  }
}

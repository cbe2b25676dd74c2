// Writes conversations into a file of the demo as if somebody had had them: at any time, and as many as a test wants.

import { sqliteHistory } from '@haip/history-sqlite';
import { systemClock, uuidIds } from '@haip/platform';
import { bodyDigest, type Draft, type HistoryStore, type JsonValue } from '@haip/protocol';
import { demoAuthenticator } from '../server/identity.ts';

export interface PastConversation {
  readonly tool?: 'assistant' | 'echo';
  /** What was said, and how long ago in ms; each is answered by the same. */
  readonly said: readonly { readonly text: string; readonly agoMs: number }[];
  /** When it was begun. Default: with its first words, or now. */
  readonly agoMs?: number;
  readonly hasEnded?: boolean;
}

/** The user that a browser with this secret is. */
async function userOf(secret: string): Promise<string> {
  const context = { transport: 'test', headers: {}, signal: new AbortController().signal };
  const user = await demoAuthenticator({ token: secret }, context);
  if (!user) throw new Error(`secret: expected 22 to 64 characters of base64url, got ${secret}`);
  return user.id;
}

function draftOf(user: string | null, type: string, payload: JsonValue, ts: number): Draft {
  const id = uuidIds();
  const channel = user === null ? 'AGENT' : type === 'MESSAGE' ? 'USER' : 'SYSTEM';
  const text = JSON.stringify(payload);
  return {
    id,
    user,
    session: 'past',
    ts,
    channel,
    type,
    payload,
    size: text.length + 256,
    digest: bodyDigest(type, text),
  };
}

interface Step {
  readonly agoMs: number;
  write(history: HistoryStore, now: number): unknown;
}

function stepsOf(user: string, transaction: string, past: PastConversation): Step[] {
  const { tool = 'assistant', said, hasEnded = false } = past;
  const begin: Step = {
    agoMs: past.agoMs ?? said[0]?.agoMs ?? 0,
    write: (history, createdAt) => {
      const record = { transaction, starter: user, tool, params: {}, referenceId: transaction, createdAt };
      const start = draftOf(user, 'TRANSACTION_START', { toolName: tool, params: {} }, createdAt);
      return history.create(record, start);
    },
  };
  const lines = said.map(
    ({ text, agoMs }): Step => ({
      agoMs,
      write: (history, now) =>
        history.append(transaction, [draftOf(user, 'MESSAGE', text, now), draftOf(null, 'MESSAGE', text, now)]),
    }),
  );
  const end: Step = {
    agoMs: said.at(-1)?.agoMs ?? 0,
    write: (history, now) => history.append(transaction, [draftOf(user, 'TRANSACTION_END', {}, now)]),
  };
  return hasEnded ? [begin, ...lines, end] : [begin, ...lines];
}

/** Adds conversations of the browser with this secret. Gives their ids, in the same order. */
export async function writeConversations(
  file: string,
  secret: string,
  conversations: readonly PastConversation[],
): Promise<string[]> {
  const user = await userOf(secret);
  const ids = conversations.map(() => uuidIds());
  const steps = conversations
    .flatMap((past, index) => stepsOf(user, ids[index] as string, past))
    .sort((a, b) => b.agoMs - a.agoMs);
  const started = systemClock.now();
  const clock = { ...systemClock, now: () => started - agoMs, monotonic: () => started - agoMs };
  let agoMs = steps[0]?.agoMs ?? 0;
  const history = sqliteHistory({ path: file, windowTime: '30d', clock });
  for (const step of steps) {
    agoMs = step.agoMs;
    await step.write(history, clock.now());
  }
  await history.close();
  return ids;
}

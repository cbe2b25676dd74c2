// Which run, call or message stream a stored message belongs to, so that a log keeps one beginning and one end of
// each. Pure. Spec: §6, invariant 16.

import type { Subject } from './contracts/history-store.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * The subject of a message, or undefined for one that stands alone.
 *
 * @param owner the author's user id, or `""` for the agent: nobody writes into another's message.
 */
export function subjectOf(type: string, payload: JsonValue, owner: string, runId?: string): Subject | undefined {
  if (!isJsonObject(payload)) return undefined;
  switch (type) {
    case 'MESSAGE_START':
      return { key: `message:${payload['message_id']}`, step: 'open', owner };
    case 'MESSAGE_PART':
      return { key: `message:${payload['message_id']}`, step: 'part', owner };
    case 'MESSAGE_END':
      return { key: `message:${payload['message_id']}`, step: 'end', owner };
    case 'RUN_STARTED':
      return { key: `run:${runId}`, step: 'open' };
    case 'RUN_FINISHED':
    case 'RUN_ERROR':
      return { key: `run:${runId}`, step: 'end' };
    case 'TOOL_CALL':
      return { key: `call:${payload['call_id']}`, step: 'open' };
    case 'TOOL_DONE':
      return { key: `call:${payload['call_id']}`, step: 'end' };
    case 'TOOL_UPDATE':
      return updateOf(payload);
    default:
      return undefined;
  }
}

/** An agent's question opens what a person's word closes: so there is no word without a question, and one at most. */
function updateOf({ call_id: id, status, ask }: JsonObject): Subject {
  if (status === 'APPROVED' || status === 'DENIED') return { key: `approval:${id}`, step: 'end' };
  if (status === 'WAITING' && ask !== undefined) return { key: `approval:${id}`, step: 'open', within: `call:${id}` };
  return { key: `call:${id}`, step: 'part' };
}

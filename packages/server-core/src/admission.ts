// Whether a transaction has room for one more message: of text, of open messages and calls, of messages that wait for
// its tool. Pure. Spec: §6.3, §8.

import { utf8Length } from '@haip/platform';
import { Fault, isJsonObject, type JsonValue } from '@haip/protocol';
import type { ServerLimits } from './limits.ts';
import type { LogState } from './log-state.ts';

/** What is refused because there is too much of it already. */
export function roomRefused(
  type: string,
  payload: JsonValue,
  state: LogState,
  limits: ServerLimits,
): Fault | undefined {
  switch (type) {
    case 'MESSAGE':
    case 'MESSAGE_END':
    case 'AUDIO':
      return queueRefused(state, limits);
    case 'MESSAGE_START':
      return openRefused('messages', state.streams.size, limits.maxOpenStreams) ?? textRefused(payload, state, limits);
    case 'MESSAGE_PART':
      return textRefused(payload, state, limits);
    case 'TOOL_CALL':
      return openRefused('calls', state.calls.size, limits.maxOpenCalls);
    default:
      return undefined;
  }
}

function queueRefused({ asks }: LogState, { maxWaitingMessages }: ServerLimits): Fault | undefined {
  if (asks === undefined || asks.length < maxWaitingMessages) return undefined;
  return new Fault('OVERLOADED', { expected: `at most ${maxWaitingMessages} messages that wait for their answer` });
}

function openRefused(what: string, open: number, most: number): Fault | undefined {
  if (open < most) return undefined;
  return new Fault('RUN_LIMIT_EXCEEDED', { expected: `at most ${most} open ${what} in a transaction` });
}

function textRefused(payload: JsonValue, { streams }: LogState, { maxStreamBytes }: ServerLimits): Fault | undefined {
  if (!isJsonObject(payload)) return undefined;
  const text = typeof payload['text'] === 'string' ? payload['text'] : '';
  const written = streams.get(String(payload['message_id']))?.bytes ?? 0;
  if (written + utf8Length(text) <= maxStreamBytes) return undefined;
  return new Fault('MESSAGE_TOO_LARGE', { expected: `at most ${maxStreamBytes} bytes of text in a message` });
}

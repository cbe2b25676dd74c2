// Gives a message to its tool: its payload as the tool's input, a streamed text whole, audio as bytes. Spec: §6.

import { type Entry, isJsonObject, type JsonObject, type JsonValue } from '@haip/protocol';
import { promised } from './promises.ts';
import { type AnyTool, type CheckedInput, checkInput } from './toolbox.ts';
import type { ToolTurn } from './turn.ts';
import { InvalidInput } from './turn-watch.ts';

/** Calls the tool. What it returns means nothing but that it is done; nothing: it is done already. */
export function callTool(tool: AnyTool, turn: ToolTurn): Promise<unknown> | undefined {
  const { message } = turn;
  if (message.type === 'AUDIO') return hear(tool, turn, message);
  if (message.type === 'MESSAGE') return tell(tool, turn, message.payload);
  const end = isJsonObject(message.payload) ? message.payload : {};
  if (typeof end['text'] === 'string') return tell(tool, turn, end['text']);
  return wholeText(turn, end).then((text) => tell(tool, turn, text));
}

function hear(tool: AnyTool, turn: ToolTurn, entry: Entry): Promise<unknown> | undefined {
  const { bytes = new Uint8Array(), mime = 'application/octet-stream', payload } = entry;
  const duration = isJsonObject(payload) ? payload['duration_ms'] : undefined;
  const durationMs = typeof duration === 'number' ? duration : undefined;
  return promised(tool.onAudio?.(turn, { bytes, mime, durationMs }));
}

function tell(tool: AnyTool, turn: ToolTurn, payload: JsonValue): Promise<unknown> | undefined {
  const checked = checkInput(tool, payload);
  if (checked instanceof Promise) return checked.then((late) => tellChecked(tool, turn, late));
  return tellChecked(tool, turn, checked);
}

function tellChecked(tool: AnyTool, turn: ToolTurn, input: CheckedInput): Promise<unknown> | undefined {
  if (!input.ok) throw new InvalidInput(`expected ${input.expected}`);
  return promised(tool.onMessage?.(turn, input.value));
}

/** The text of a streamed message that is too long for its END to carry. */
async function wholeText(turn: ToolTurn, end: JsonObject): Promise<string> {
  const { messages } = await turn.conversation();
  return messages.find((message) => message.id === end['message_id'])?.text ?? '';
}

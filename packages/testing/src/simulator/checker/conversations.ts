// What people should see of a log: the checker's own reducer, smaller than and independent of the one it judges.

import { isJsonObject, type JsonValue } from '@haip/protocol';

/** What it reads of an entry. */
export interface Said {
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly payload: JsonValue;
}

interface SeenMessage {
  readonly id: string;
  begin: number;
  text: string;
  status: string;
}

/** One line for each message, in the order they began, of those that began after `floor`. */
export function conversationLines(entries: Iterable<Said>, floor: number): string[] {
  const messages = new Map<string, SeenMessage>();
  for (const entry of entries) take(messages, entry);
  return [...messages.values()]
    .filter(({ begin }) => begin > floor)
    .sort((a, b) => a.begin - b.begin)
    .map(({ id, begin, text, status }) => `${begin} ${id} ${status} ${text}`);
}

function take(messages: Map<string, SeenMessage>, { position, id, type, payload }: Said): void {
  const fields = isJsonObject(payload) ? payload : {};
  const text = typeof fields['text'] === 'string' ? fields['text'] : undefined;
  const key = String(fields['message_id'] ?? id);
  const message = messages.get(key);
  if (type === 'MESSAGE') {
    const said = typeof payload === 'string' ? payload : (text ?? '');
    messages.set(id, { id, begin: position, text: said, status: 'complete' });
  } else if (type === 'AUDIO') {
    if (!message) messages.set(key, { id: key, begin: position, text: '', status: 'complete' });
  } else if (type === 'MESSAGE_START') {
    messages.set(key, { id: key, begin: position, text: text ?? '', status: 'open' });
  } else if (type === 'MESSAGE_PART' && message) {
    message.text += text ?? '';
  } else if (type === 'MESSAGE_END') {
    const status = String(fields['status'] ?? 'complete');
    const begin = Number(fields['start_seq'] ?? message?.begin ?? position);
    messages.set(key, { id: key, begin, text: text ?? message?.text ?? '', status });
  } else if (type === 'TRANSACTION_END') {
    for (const open of messages.values()) if (open.status === 'open') open.status = 'interrupted';
  }
}

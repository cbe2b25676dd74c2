// Reads a conversation as the exchange that one turn answers. Spec: §4.

import { type Conversation, type ConversationMessage, isJsonObject, type JsonValue } from '@haip/protocol';
import type { Line } from './notebook.ts';

/** The text of a message's payload: a string, or the `text` of an object; undefined when there is none. */
export function textOf(payload: JsonValue): string | undefined {
  if (typeof payload === 'string') return payload;
  const text = isJsonObject(payload) ? payload['text'] : undefined;
  return typeof text === 'string' ? text : undefined;
}

const isAgent = ({ channel }: ConversationMessage): boolean => channel === 'AGENT';

/**
 * What was said before the message at `position`, and that message last. Answers come after the messages that were
 * waiting behind theirs, so agents' lines count wherever they are and people's only up to the message itself.
 */
export function linesBefore({ messages }: Conversation, position: number, text: string): Line[] {
  const said = messages.filter((message) => !message.deleted && message.text !== '');
  const before = said.filter((message) => isAgent(message) || message.position < position);
  const lines = before.map((message): Line => ({ who: isAgent(message) ? 'assistant' : 'person', text: message.text }));
  return [...lines, { who: 'person', text }];
}

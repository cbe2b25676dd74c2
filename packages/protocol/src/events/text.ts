// Text, whole or bit by bit. Spec: §4, §6.

import * as v from 'valibot';
import { count, decimal, id, json, label, notFromHere, object, text } from './shapes.ts';

/** By the tool's own schema; a plain string is common. */
export const message = json;

export const messageStart = object({ message_id: id, author: v.optional(label), text: v.optional(text) });
export const messagePart = object({ message_id: id, text });

const endBase = { message_id: id, tokens: v.optional(count), status: v.optional(label) };

/** What an author writes; where the stream began and its whole text are the server's to say. */
export const messageEndFromClient = object({ ...endBase, start_seq: notFromHere, text: notFromHere });

/** As stored: with the whole text. The short frame of it has no `text`. */
export const messageEnd = object({ ...endBase, start_seq: decimal, text: v.optional(text) });

export const messageUpdate = v.union([
  object({ message_id: id, text, delete: v.optional(v.never()) }),
  object({ message_id: id, delete: v.literal(true), text: v.optional(v.never()) }),
]);

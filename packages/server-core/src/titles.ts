// What a conversation is called in a list: the title it was started with, else the first line that a person wrote in it
// and that is still kept. Reads the beginning of a log, never writes, so a tool need do nothing for it. Spec: §6.2.

import {
  emptyConversation,
  isJsonObject,
  type JsonObject,
  reduceConversation,
  type TransactionRecord,
} from '@haip/protocol';
import { mayRead } from './access.ts';
import type { Session } from './session.ts';

const TITLE_UNITS = 120;

/** How far people may be from the beginning: whoever joins or greets first does not hide their line. */
const BEGINNING = { from: 1, maxEntries: 16, maxBytes: 16 * 1024 };

/** The title among what a transaction is started with. */
export function titleIn(params: JsonObject[string]): string | undefined {
  if (!isJsonObject(params) || typeof params['title'] !== 'string') return undefined;
  return shortened(params['title']);
}

/** The record with its title, where there is one that this session may read. */
export async function entitled(session: Session, record: TransactionRecord): Promise<TransactionRecord> {
  if (record.title !== undefined || !mayRead(session.user, record)) return record;
  const page = await session.context.history.read(record.transaction, BEGINNING);
  const entries = page?.entries ?? [];
  session.guest?.oweBytes(entries.reduce((bytes, { size }) => bytes + size, 0));
  const { messages } = entries.filter(({ user }) => user !== null).reduce(reduceConversation, emptyConversation);
  const line = messages.map(({ text }) => /\S.*/.exec(text)?.[0]).find((said) => said !== undefined);
  // The right may have gone while the store was waited for.
  if (line === undefined || !mayRead(session.user, record)) return record;
  return { ...record, title: shortened(line.trimEnd()) };
}

/** At most 120 UTF-16 units, no character cut in two. */
function shortened(text: string): string {
  return text.slice(0, TITLE_UNITS).replace(/[\ud800-\udbff]$/, '');
}

// What must hold once faults have stopped and all is quiet: everything was answered, delivered and agreed on; and once
// everybody has gone, nothing is left of them. Invariants 2, 5, 9, 11, 18, 19.

import type { HistoryStore } from '@haip/protocol';
import type { App, Chat } from '../app.ts';
import { answersAlways } from '../tools.ts';
import { conversationLines } from './conversations.ts';
import type { StoredLog } from './stored-log.ts';
import type { StoredLogs } from './stored-logs.ts';
import type { Verdicts } from './verdicts.ts';

interface Parts {
  readonly apps: readonly App[];
  readonly logs: StoredLogs;
  readonly verdicts: Verdicts;
}

/** What is still to come before all is at rest; undefined when nothing is. */
export function unrest({ apps, logs }: Parts): string | undefined {
  for (const app of apps) {
    const restless = unrestOf(app, logs);
    if (restless !== undefined) return `${app.name} ${restless}`;
  }
  return undefined;
}

function unrestOf(app: App, logs: StoredLogs): string | undefined {
  const { name } = app.client.state;
  if (name === 'disconnected') return undefined;
  if (name !== 'connected') return `is ${name}`;
  if (app.asking > 0) return `waits for ${app.asking} answers`;
  for (const { token, transaction } of app.sending.waiting) return `waits for ${token ?? 'an end'} in ${transaction}`;
  for (const chat of app.chats.values()) {
    const late = behind(chat, logs);
    if (late !== undefined) return late;
  }
  return undefined;
}

function behind({ transaction, reading }: Chat, logs: StoredLogs): string | undefined {
  const log = logs.now(transaction.id);
  const { epoch, position } = transaction.cursor;
  if (log === undefined) return `reads ${transaction.id}, which is gone`;
  if (epoch !== log.epoch) return `reads ${transaction.id} in ${epoch}, not ${log.epoch}`;
  if (position !== log.last) return `has read ${transaction.id} up to ${position}, not ${log.last}`;
  // What was stored within a gap has no receipt: it may stay among the pending until the next verdict.
  if (transaction.pending.length > 0 && reading.gaps + reading.restarts === 0)
    return `has ${transaction.pending.length} pending in ${transaction.id}`;
  const known = logs.known(reading.transaction);
  if (known === undefined || log.ended || known.logs.length > 1 || !answersAlways.has(known.record.tool))
    return undefined;
  for (const { draft, position: at } of log.entries) {
    if (at < log.first || draft.user === null || !wantsAnswer(draft.type)) continue;
    if (log.answered.has(draft.id) || logs.unanswerable.has(draft.id)) continue;
    return `waits for an answer to ${draft.id} in ${transaction.id}`;
  }
  return log.unfinished && `sees ${log.unfinished} go on in ${transaction.id}`;
}

function wantsAnswer(type: string): boolean {
  return type === 'MESSAGE' || type === 'MESSAGE_END';
}

/** Invariants 2 and 9: everybody sees the same conversation, and so does the store. */
export async function judgeAgreement({ apps, logs, verdicts }: Parts, store: HistoryStore): Promise<void> {
  for (const { now } of logs.transactions.values()) {
    if (now && !now.isTorn) await judgeCompaction(now, store, verdicts);
  }
  for (const app of apps) {
    for (const { transaction, reading } of app.chats.values()) {
      const { log } = reading;
      if (log === undefined || log.isTorn || reading.epoch !== log.epoch) continue;
      const due = linesOf(log, reading.floor, reading.position);
      // Of what began before it came, it shows what it was given.
      const early = new Set(linesOf(log, 0, reading.floor).map((line) => line.split(' ')[1]));
      const seen = transaction.conversation.messages
        .filter(({ id, position }) => position > reading.floor && !early.has(id))
        .map(({ id, position, status, text }) => `${position} ${id} ${status} ${text}`);
      compare(verdicts, '9 agreement', `${app.name} in ${transaction.id}`, seen, due);
    }
  }
}

async function judgeCompaction(log: StoredLog, store: HistoryStore, verdicts: Verdicts): Promise<void> {
  const page = await store.read(log.transaction, { from: 1, maxEntries: 1_000_000, maxBytes: 1 << 30 });
  if (page === null) return verdicts.violated('5 settled implies stored', `${log.transaction} is gone`);
  const kept = conversationLines(page.entries, page.first - 1);
  compare(verdicts, '2 log immutability', `${log.transaction} compacted`, kept, linesOf(log, page.first - 1, log.last));
}

function linesOf(log: StoredLog, floor: number, last: number): string[] {
  const said = log.entries.slice(0, last).map(({ position, draft }) => ({
    position,
    id: draft.id,
    type: draft.type,
    payload: draft.payload,
  }));
  return conversationLines(said, floor);
}

function compare(
  verdicts: Verdicts,
  invariant: '2 log immutability' | '9 agreement',
  where: string,
  seen: readonly string[],
  due: readonly string[],
): void {
  const at = due.findIndex((line, index) => line !== seen[index]);
  if (at < 0 && seen.length === due.length) return;
  const index = at < 0 ? due.length : at;
  verdicts.violated(invariant, `${where}: shows "${seen[index] ?? ''}" where "${due[index] ?? ''}" is due`);
}

/** Invariant 11: a client that had to end a connection found a hole or an overlap in what it was sent. */
export function judgeSeams({ apps, verdicts }: Parts): void {
  for (const { name, client, readings } of apps) {
    // A page of replay that was under way when the log became another one looks like a hole in it.
    if (readings.some(({ restarts }) => restarts > 0)) continue;
    if (client.stats.faults > 0) verdicts.violated('11 resume seam', `${name} met ${client.stats.faults} faults`);
  }
}

/**
 * Without faults nothing is tried twice, nothing comes twice, nothing is missing. Only what was not settled when a client
 * was moved is sent again.
 */
export function judgeCalm({ apps, logs, verdicts }: Parts): void {
  const bad = (what: string): void => verdicts.violated('0 calm seas', what);
  if (logs.repeats > 0 && apps.every(({ moves }) => moves === 0)) bad(`${logs.repeats} messages were sent again`);
  for (const { name, client, chats, moves } of apps) {
    const { connections, duplicates } = client.stats;
    if (client.state.name !== 'connected') bad(`${name} is ${client.state.name}`);
    if (connections > 1 + moves || duplicates > 0) bad(`${name}: ${connections} connections, ${duplicates} duplicates`);
    for (const { reading } of chats.values()) if (reading.gaps + reading.restarts > 0) bad(`${name} met a gap`);
  }
}

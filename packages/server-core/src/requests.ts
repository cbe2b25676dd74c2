// Questions that no log answers: is anybody there, which tools, which transactions. Each is answered by the same type
// with `related_id`, or by an ERROR. Spec: §6.

import {
  type Envelope,
  Fault,
  isJsonObject,
  type JsonObject,
  type Pending,
  type TransactionPage,
} from '@haip/protocol';
import type { Session } from './session.ts';
import { entitled } from './titles.ts';

type Answerer = (session: Session, envelope: Envelope, payload: JsonObject) => Pending;

function answer(session: Session, envelope: Envelope, type: string, payload: JsonObject): void {
  session.done(envelope);
  session.outbound.say({ type, relatedId: envelope.id, payload });
}

/** A link that takes nothing has one PONG to come: more would say the same. */
const ping: Answerer = (session, envelope, payload) => {
  if (!session.owesPong()) return session.done(envelope);
  answer(session, envelope, 'PONG', payload);
};

/** Taken and good for nothing more: a sign of life, a hint for people. */
const heard: Answerer = (session, envelope) => session.done(envelope);

const flowChange: Answerer = (session, envelope) => {
  const fault = session.transactions.changeWindows(envelope);
  if (fault === undefined) session.done(envelope);
  else session.reject(envelope, fault);
};

const toolList: Answerer = (session, envelope) =>
  answer(session, envelope, 'TOOL_LIST', { tools: session.context.toolbox.list() });

const toolSchema: Answerer = (session, envelope, payload) => {
  const tool = session.context.toolbox.get(String(payload['tool']));
  if (tool === undefined) return session.reject(envelope, new Fault('TOOL_NOT_FOUND'));
  answer(session, envelope, 'TOOL_SCHEMA', { tool: tool.name, schema: session.context.toolbox.schemaOf(tool) });
};

function pagePayload({ transactions, next }: TransactionPage): JsonObject {
  const items = transactions.map(({ transaction, tool, createdAt, title, endedAt }) => ({
    transaction,
    toolName: tool,
    createdAt: String(createdAt),
    ...(title === undefined ? {} : { title }),
    ...(endedAt === undefined ? {} : { endedAt: String(endedAt) }),
  }));
  return next === undefined ? { transactions: items } : { transactions: items, next };
}

const transactionList: Answerer = async (session, envelope, { after }) => {
  const { history, log } = session.context;
  try {
    const page = await history.list(session.user.id, typeof after === 'string' ? after : undefined);
    const transactions = await Promise.all(page.transactions.map((record) => entitled(session, record)));
    answer(session, envelope, 'TRANSACTION_LIST', pagePayload({ ...page, transactions }));
  } catch (error) {
    log('error', 'list failed', { error });
    session.reject(envelope, new Fault('OVERLOADED', { expected: 'the store to answer' }));
  }
};

const answerers: ReadonlyMap<string, Answerer> = new Map([
  ['PING', ping],
  ['PONG', heard],
  ['INFO', heard],
  ['ERROR', heard],
  ['FLOW_UPDATE', flowChange],
  ['PAUSE_CHANNEL', flowChange],
  ['RESUME_CHANNEL', flowChange],
  ['TOOL_LIST', toolList],
  ['TOOL_SCHEMA', toolSchema],
  ['TRANSACTION_LIST', transactionList],
]);

/** Answers a question about no transaction in particular. False when the message is none. */
export function answerRequest(session: Session, envelope: Envelope): boolean {
  const answerer = answerers.get(envelope.type);
  if (answerer === undefined) return false;
  answerer(session, envelope, isJsonObject(envelope.payload) ? envelope.payload : {});
  return true;
}

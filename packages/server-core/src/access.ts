// Who may do what in a transaction: reading is all or nothing, writing by type. Pure. Spec: §5.

import { Fault, isAllowed, type TransactionRecord } from '@haip/protocol';
import { channelsOf, type KnownUser } from './authentication.ts';

/** What a starter may do without a permission that says so. */
const startersOwn: ReadonlySet<string> = new Set([
  'TRANSACTION_JOIN',
  'TRANSACTION_LEAVE',
  'TRANSACTION_END',
  'REPLAY_REQUEST',
  'RUN_CANCEL',
  'TOOL_CANCEL',
]);

/** Types whose channel is the author's choice, within what authentication allows. */
export function choosesChannel(type: string): boolean {
  return type.startsWith('MESSAGE') || type.startsWith('TOOL_') || type === 'AUDIO';
}

/** Types that keep their author's order: after a refusal that asks for a retry they wait for it. A cancel never waits. */
export function keepsOrder(type: string): boolean {
  return choosesChannel(type) && type !== 'TOOL_CANCEL';
}

/** START, JOIN and LEAVE: asked for, though an entry may come of them. */
export function isMembership(type: string): boolean {
  return type.startsWith('TRANSACTION_') && type !== 'TRANSACTION_END';
}

const saidOnce: ReadonlySet<string> = new Set([
  'FLOW_UPDATE',
  'PAUSE_CHANNEL',
  'RESUME_CHANNEL',
  'PONG',
  'INFO',
  'ERROR',
]);

/** What nobody waits for an answer to, nor says again: a window that was refused once would stay shut. */
export function isSaidOnce(type: string): boolean {
  return saidOnce.has(type);
}

/** A transaction may be read by its starter and by users with TRANSACTION_JOIN for it. */
export function mayRead(user: KnownUser, record: TransactionRecord): boolean {
  return user.id === record.starter || isAllowed(user.permissions, 'TRANSACTION_JOIN', record.transaction);
}

/** Whether a user may write a type here: TRANSACTION_NOT_FOUND to who may not even read, UNAUTHORIZED to who may. */
export function writingRefused(
  user: KnownUser,
  record: TransactionRecord,
  type: string,
  channel: string,
): Fault | undefined {
  if (!mayRead(user, record)) return new Fault('TRANSACTION_NOT_FOUND');
  const { transaction, starter } = record;
  const byRole = type === 'TRANSACTION_LEAVE' || (user.id === starter && startersOwn.has(type));
  if (!byRole && !isAllowed(user.permissions, type, transaction)) {
    return new Fault('UNAUTHORIZED', { expected: `the permission ${type}` });
  }
  if (choosesChannel(type) && !channelsOf(user).includes(channel)) {
    return new Fault('UNAUTHORIZED', {
      expected: `one of the channels ${channelsOf(user).join(', ')}`,
      got: 'another',
    });
  }
  return undefined;
}

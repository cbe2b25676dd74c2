import type { Subject } from '@haip/protocol';
import type { DraftRow, Known, LogState } from '../src/index.ts';
import { emptyLog } from '../src/index.ts';

let ids = 0;

export function row(fields: Partial<DraftRow> = {}): DraftRow {
  return {
    author: 'ann',
    id: `id-${++ids}`,
    digest: 'digest',
    type: 'MESSAGE',
    ts: 1,
    size: 100,
    isWhole: false,
    subject: undefined,
    body: '{}',
    bytes: undefined,
    ...fields,
  };
}

/** A START, PART or END of the agent's message. */
export function piece(step: Subject['step'], id: string, fields: Partial<DraftRow> = {}): DraftRow {
  const type = { open: 'MESSAGE_START', part: 'MESSAGE_PART', end: 'MESSAGE_END' }[step];
  const subject = { key: `message:${id}`, step, owner: '' };
  return row({ author: '', type, subject, isWhole: step === 'end', ...fields });
}

export function nothingKnown(): Known {
  return { keys: new Map(), subjects: new Map() };
}

export function log(fields: Partial<LogState> = {}): LogState {
  return { ...emptyLog(), ...fields };
}

import { describe, expect, test } from 'vitest';
import { eventTypes, type JsonValue, subjectOf } from '../src/index.ts';

describe('a subject', () => {
  test.each<[string, JsonValue, ReturnType<typeof subjectOf>]>([
    ['MESSAGE_START', { message_id: 'w-1' }, { key: 'message:w-1', step: 'open', owner: 'ada' }],
    ['MESSAGE_PART', { message_id: 'w-1', text: 'a' }, { key: 'message:w-1', step: 'part', owner: 'ada' }],
    ['MESSAGE_END', { message_id: 'w-1' }, { key: 'message:w-1', step: 'end', owner: 'ada' }],
    ['RUN_STARTED', {}, { key: 'run:run-1', step: 'open' }],
    ['RUN_FINISHED', { status: 'OK' }, { key: 'run:run-1', step: 'end' }],
    ['RUN_ERROR', { code: 'X' }, { key: 'run:run-1', step: 'end' }],
    ['TOOL_CALL', { call_id: 'c-1', tool: 'x' }, { key: 'call:c-1', step: 'open' }],
    ['TOOL_UPDATE', { call_id: 'c-1', status: 'RUNNING' }, { key: 'call:c-1', step: 'part' }],
    ['TOOL_UPDATE', { call_id: 'c-1', status: 'WAITING' }, { key: 'call:c-1', step: 'part' }],
    [
      'TOOL_UPDATE',
      { call_id: 'c-1', status: 'WAITING', ask: 'Really?' },
      { key: 'approval:c-1', step: 'open', within: 'call:c-1' },
    ],
    ['TOOL_UPDATE', { call_id: 'c-1', status: 'APPROVED' }, { key: 'approval:c-1', step: 'end' }],
    ['TOOL_UPDATE', { call_id: 'c-1', status: 'DENIED' }, { key: 'approval:c-1', step: 'end' }],
    ['TOOL_DONE', { call_id: 'c-1' }, { key: 'call:c-1', step: 'end' }],
  ])('%s %j belongs to %j [TEXT-2]', (type, payload, subject) => {
    expect(subjectOf(type, payload, 'ada', 'run-1')).toEqual(subject);
  });

  test('a message, a cancel and the life of a transaction stand alone', () => {
    const alone = Object.keys(eventTypes).filter(
      (type) => subjectOf(type, { message_id: 'w-1', call_id: 'c-1' }, 'ada', 'run-1') === undefined,
    );
    expect(
      alone.filter((type) =>
        /^(MESSAGE_(START|PART|END)|RUN_(STARTED|FINISHED|ERROR)|TOOL_(CALL|UPDATE|DONE))$/.test(type),
      ),
    ).toEqual([]);
    expect(alone).toEqual(
      expect.arrayContaining(['MESSAGE', 'MESSAGE_UPDATE', 'AUDIO', 'RUN_CANCEL', 'TOOL_CANCEL', 'TRANSACTION_END']),
    );
    expect(subjectOf('MESSAGE', 'Hello', 'ada')).toBeUndefined();
  });

  test('streams with one id by two authors have one key and two owners: only one can be open', () => {
    const [ada, bob] = ['ada', 'bob'].map((owner) => subjectOf('MESSAGE_START', { message_id: 'w-1' }, owner));
    expect(ada?.key).toBe(bob?.key);
    expect(ada?.owner).not.toBe(bob?.owner);
  });
});

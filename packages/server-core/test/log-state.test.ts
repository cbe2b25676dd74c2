import type { Entry } from '@haip/protocol';
import { expect, test } from 'vitest';
import { LogState } from '../src/log-state.ts';

const start = (position: number): Entry => ({
  position,
  id: `start-${position}`,
  user: 'ada',
  session: 's',
  ts: 0,
  channel: 'USER',
  type: 'MESSAGE_START',
  payload: { message_id: `m-${position}` },
  size: 256,
});

test('a message that began in what was trimmed unread has ended there; a later one is open still', () => {
  const state = new LogState('ada', undefined);
  state.fold(start(2));
  state.skip(3, 9);
  state.fold(start(10));
  state.skip(11, 12);

  expect([...state.streams.keys()]).toEqual([]);
  state.fold(start(13));
  state.skip(5, 6);
  expect([...state.streams.keys()]).toEqual(['m-13']);
});

test('a run and a call whose beginning was trimmed are open as long as their agent speaks of them', () => {
  const state = new LogState('ada', undefined);
  const said = (position: number, type: string, payload: Entry['payload'], run_id = 'r'): Entry => ({
    ...start(position),
    user: null,
    type,
    payload,
    run_id,
  });
  state.fold(said(5, 'TOOL_UPDATE', { call_id: 'c', status: 'RUNNING' }));
  expect([[...state.runs.keys()], [...state.calls.keys()]]).toEqual([['r'], ['c']]);
  state.fold(said(6, 'TOOL_DONE', { call_id: 'c' }));
  state.fold(said(7, 'RUN_FINISHED', { status: 'OK' }));
  expect([state.runs.size, state.calls.size]).toEqual([0, 0]);
  // Neither is what people say of a call that is not known.
  state.fold({ ...said(8, 'TOOL_UPDATE', { call_id: 'd', status: 'APPROVED' }), user: 'ada', run_id: undefined });
  expect([state.runs.size, state.calls.size]).toEqual([0, 0]);
});

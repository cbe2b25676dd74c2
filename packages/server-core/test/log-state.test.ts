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

// Laws on runs, calls, approvals and message streams: one beginning, one end, nothing outside of them, and nobody
// writes into another's. Spec: §6, invariant 16.

import { expect } from 'vitest';
import {
  type DraftFields,
  draft,
  type HistoryLaw,
  Log,
  messageEnd,
  messagePart,
  messageStart,
  refused,
  span,
  stored,
} from './context.ts';

const run = (type: string, run_id = 'r'): DraftFields => ({ user: null, type, run_id, payload: { status: 'OK' } });
const call = (type: string, fields: object = {}): DraftFields => ({
  user: null,
  type,
  payload: { call_id: 'c', tool: 'search', ...fields },
});

export const subjectLaws: readonly HistoryLaw[] = [
  {
    name: 'F57: a part before the START or after the END is refused, and other messages go on',
    async run({ store }) {
      const log = await Log.create(await store());
      const outcomes = await log.append([
        messagePart('a', 'too early'),
        messageStart('a'),
        messageStart('b'),
        messagePart('a', '1'),
        messageEnd('a', 2, '1'),
        messagePart('a', 'too late'),
        messagePart('b', '2'),
        messageEnd('b', 3, '2'),
      ]);
      expect(outcomes).toEqual([
        refused('subject'),
        ...span(2, 5).map(stored),
        refused('subject'),
        ...span(6, 7).map(stored),
      ]);
    },
  },
  {
    name: 'F58: a second beginning or a second end is refused; the first in the log wins',
    async run({ store }) {
      const log = await Log.create(await store());
      const pairs = [
        [messageStart('m'), messageStart('m')],
        [messageEnd('m', 2, ''), messageEnd('m', 2, 'other')],
        [draft(run('RUN_STARTED')), draft(run('RUN_STARTED'))],
        [draft(run('RUN_FINISHED')), draft(run('RUN_ERROR'))],
        [draft(call('TOOL_CALL')), draft(call('TOOL_CALL'))],
        [draft(call('TOOL_DONE')), draft(call('TOOL_DONE', { status: 'CANCELLED' }))],
      ];
      for (const pair of pairs) {
        expect((await log.append(pair)).map(({ kind }) => kind)).toEqual(['stored', 'refused']);
      }
      expect(await log.append([messageStart('m'), draft(run('RUN_STARTED'))])).toEqual([
        refused('subject'),
        refused('subject'),
      ]);
    },
  },
  {
    name: 'an end without a beginning is refused',
    async run({ store }) {
      const log = await Log.create(await store());
      const ends = [messageEnd('m', 1, ''), draft(run('RUN_FINISHED')), draft(call('TOOL_DONE'))];
      expect(await log.append(ends)).toEqual(ends.map(() => refused('subject')));
    },
  },
  {
    name: 'F58: a call is approved or denied once, after it asked and before its end',
    async run({ store }) {
      const log = await Log.create(await store());
      const update = (status: string, fields: object = {}) => draft(call('TOOL_UPDATE', { status, ...fields }));
      const verdict = (status: string) => draft({ ...call('TOOL_UPDATE', { status }), user: 'ann' });
      expect(await log.append([verdict('APPROVED'), update('WAITING', { ask: '?' })])).toEqual([
        refused('subject'),
        refused('subject'),
      ]);
      await log.put(draft(call('TOOL_CALL')));
      expect(await log.append([verdict('APPROVED'), update('WAITING')])).toEqual([refused('subject'), stored(3)]);
      const asked = [update('WAITING', { ask: 'Really?' }), verdict('DENIED'), verdict('APPROVED')];
      expect(await log.append(asked)).toEqual([stored(4), stored(5), refused('subject')]);
      expect(await log.append([update('RUNNING'), update('WAITING', { ask: 'Again?' })])).toEqual([
        stored(6),
        refused('subject'),
      ]);
    },
  },
  {
    name: 'F58: a question that waits ends with its call: nobody can answer it any more',
    async run({ store }) {
      const log = await Log.create(await store());
      await log.append([draft(call('TOOL_CALL')), draft(call('TOOL_UPDATE', { status: 'WAITING', ask: '?' }))]);
      await log.put(draft(call('TOOL_DONE', { status: 'CANCELLED' })));
      const late = draft({ ...call('TOOL_UPDATE', { status: 'APPROVED' }), user: 'ann' });
      expect(await log.append([late])).toEqual([refused('subject')]);
    },
  },
  {
    name: "nobody goes on with another's stream; whoever names no owner does",
    async run({ store }) {
      const log = await Log.create(await store());
      await log.put(messageStart('m', { user: 'ann' }));
      const strangers = [messagePart('m', 'x', { user: 'bob' }), messageEnd('m', 2, 'x', { user: null })];
      expect(await log.append(strangers)).toEqual([refused('subject'), refused('subject')]);
      const closing = messageEnd('m', 2, '', { user: null, subject: { key: 'message:m', step: 'end' } });
      expect(await log.append([messagePart('m', 'x', { user: 'ann' }), closing])).toEqual([stored(3), stored(4)]);
      await log.put(draft({ ...run('RUN_STARTED'), user: null }));
      expect(await log.append([draft({ ...run('RUN_FINISHED'), user: 'bob' })])).toEqual([stored(6)]);
    },
  },
  {
    name: 'subjects of one transaction are nothing to another one',
    async run({ store }) {
      const history = await store();
      const [one, two] = [await Log.create(history), await Log.create(history)];
      await one.put(messageStart('m'));
      expect(await two.append([messagePart('m', 'x'), messageStart('m')])).toEqual([refused('subject'), stored(2)]);
    },
  },
  {
    name: 'a stream stays open, and one that ended stays closed, after the window moved on',
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 4 }));
      const ended = await log.stream(['x'], { user: 'ann' });
      await log.put(draft(run('RUN_STARTED', 'long')));
      await log.fill(20);
      expect(await log.append([messagePart(ended.messageId, 'late', { user: 'ann' })])).toEqual([refused('subject')]);
      expect((await log.append([draft(run('RUN_FINISHED', 'long'))])).map(({ kind }) => kind)).toEqual(['stored']);
    },
  },
];

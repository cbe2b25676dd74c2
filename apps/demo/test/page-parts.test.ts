import { type ConversationMessage, emptyConversation } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { parseText } from '../web/chat/parse-text.ts';
import { countEntry, countGap, countLoss, countMove, emptyTally } from '../web/chat/tally.ts';
import { placeCall, timelineOf } from '../web/chat/timeline.ts';
import { unfinishedAnswer } from '../web/chat/unfinished.ts';
import { fragmentFor, transactionInLink } from '../web/share-link.ts';

const text = (value: string) => ({ kind: 'text', text: value });

describe('formatting', () => {
  test('paragraphs, lines, lists, code and bold are told apart', () => {
    expect(parseText('One `two` **three**\nfour\n\n- a\n- b\n\n3. c\n4. d\n\n```js\n1 < 2\n```')).toEqual([
      {
        kind: 'paragraph',
        lines: [
          [text('One '), { kind: 'code', text: 'two' }, text(' '), { kind: 'bold', text: 'three' }],
          [text('four')],
        ],
      },
      { kind: 'list', start: undefined, items: [[text('a')], [text('b')]] },
      { kind: 'list', start: 3, items: [[text('c')], [text('d')]] },
      { kind: 'code', text: '1 < 2' },
    ]);
  });

  test('what it does not know stays text', () => {
    for (const odd of ['<b>x</b>', '[a](javascript:x)', '![i](x)', '**open', '`open', '# title', '&lt;']) {
      expect(parseText(odd)).toEqual([{ kind: 'paragraph', lines: [[text(odd)]] }]);
    }
  });

  test('a seam stands where the connection was cut, and only there', () => {
    expect(parseText('before after', [7])).toEqual([
      { kind: 'paragraph', lines: [[text('before '), { kind: 'seam' }, text('after')]] },
    ]);
    expect(parseText('a\uE0A1b')).toEqual([{ kind: 'paragraph', lines: [[text('a b')]] }]);
    expect(parseText('whole', [0, 5, 99])).toEqual([{ kind: 'paragraph', lines: [[text('whole')]] }]);
  });
});

describe('the tally', () => {
  const entry = (position: number) => ({ position, channel: 'AGENT' });

  test('a position that comes twice is counted as shown twice', () => {
    const tally = [entry(1), entry(2), entry(2), entry(3)].reduce(countEntry, emptyTally);
    expect(tally).toMatchObject({ position: 3, entries: 4, repeated: 1, missing: 0 });
  });

  test('after a loss it counts what was brought since, and positions that are gone as missing', () => {
    const before = [entry(1), entry(2)].reduce(countEntry, emptyTally);
    const after = countEntry(countGap(countLoss(before), { first: 3, last: 5 }), entry(6));
    expect(after).toMatchObject({ losses: 1, resumedFrom: 2, sinceResume: 1, missing: 3, repeated: 0, position: 6 });
    expect(after.tape).toEqual(['agent', 'agent', 'cut', 'agent']);
  });

  test('a move is no loss', () => {
    const moved = countEntry(countMove(countEntry(emptyTally, entry(1))), entry(2));
    expect(moved).toMatchObject({ moves: 1, losses: 0, resumedFrom: undefined, position: 2 });
    expect(moved.tape).toEqual(['agent', 'move', 'agent']);
  });

  test('the tape is bounded', () => {
    const many = Array.from({ length: 1000 }, (_, index) => entry(index + 1));
    expect(many.reduce(countEntry, emptyTally).tape).toHaveLength(120);
  });
});

describe('the timeline', () => {
  const message = (position: number, more: Partial<ConversationMessage> = {}): ConversationMessage => ({
    id: `m${position}`,
    position,
    session: 's',
    channel: 'AGENT',
    ts: 0,
    text: 'text',
    status: 'complete',
    ...more,
  });

  test('a gap stands before the first message after it', () => {
    const conversation = { ...emptyConversation, messages: [message(1), message(9)], gaps: [{ first: 2, last: 8 }] };
    expect(timelineOf({ conversation, callsAt: new Map() }).map(({ key }) => key)).toEqual(['m1', 'gap-2-8', 'm9']);
  });

  test('a run that failed shows at its last message, also at an empty one', () => {
    const failed = message(2, { text: '', status: 'interrupted', runId: 'r' });
    const empty = message(3, { text: '', status: 'complete', runId: 'other' });
    const conversation = { ...emptyConversation, messages: [failed, empty], runs: [{ id: 'r', status: 'ERROR' }] };
    expect(timelineOf({ conversation, callsAt: new Map() })).toMatchObject([{ key: 'm2', fault: { id: 'r' } }]);
  });

  test('a message that was stopped or interrupted before its first word shows, an empty whole one does not', () => {
    const statuses = ['cancelled', 'interrupted', 'complete'];
    const messages = statuses.map((status, index) => message(index + 1, { text: '', status }));
    const conversation = { ...emptyConversation, messages };
    expect(timelineOf({ conversation, callsAt: new Map() }).map(({ key }) => key)).toEqual(['m1', 'm2']);
  });

  test('a call stands where the log first names it', () => {
    const entries = [
      { type: 'MESSAGE', payload: 'hello', position: 1 },
      { type: 'TOOL_CALL', payload: { call_id: 'c', tool: 'search' }, position: 2 },
      { type: 'TOOL_UPDATE', payload: { call_id: 'c', status: 'RUNNING' }, position: 4 },
      { type: 'TOOL_DONE', payload: { call_id: 'older' }, position: 6 },
    ];
    const callsAt = entries.reduce(placeCall, new Map());
    expect([...callsAt]).toEqual([
      ['c', 2],
      ['older', 6],
    ]);
    const calls = [...callsAt.keys()].map((id) => ({ id, tool: 'search', status: 'OK' }));
    const conversation = { ...emptyConversation, calls, messages: [message(1), message(5)] };
    expect(timelineOf({ conversation, callsAt }).map(({ key }) => key)).toEqual(['m1', 'c', 'm5', 'older']);
  });
});

describe('what a server took with it', () => {
  const known = { tool: 'assistant', pending: [], closed: undefined };
  const said = (id: string, more: Partial<ConversationMessage> = {}): ConversationMessage => {
    return { id, position: 1, session: 's', channel: 'AGENT', ts: 0, text: '', status: 'complete', ...more };
  };
  const question = said('question', { channel: 'USER', text: 'Count' });
  const cut = said('cut', { status: 'interrupted', runId: 'r' });
  const interrupted = { id: 'r', status: 'INTERRUPTED' };
  const call = { id: 'c', tool: 'remind', status: 'INTERRUPTED', runId: 'r' };

  test.each([
    ['a message cut off', { messages: [question, cut], runs: [interrupted] }, 'cut'],
    ['a run that had said nothing', { messages: [question], runs: [interrupted] }, undefined],
  ])('is the last word: %s', (_, parts, message) => {
    const conversation = { ...emptyConversation, ...parts };
    expect(unfinishedAnswer({ ...known, conversation })).toEqual({ message, canGoOn: true });
    expect(unfinishedAnswer({ ...known, conversation, tool: 'echo' })).toEqual({ message, canGoOn: false });
    expect(unfinishedAnswer({ ...known, conversation, closed: 'superseded' })).toBeUndefined();
    expect(unfinishedAnswer({ ...known, conversation, pending: [{ id: 'p', text: 'Go on' }] })).toBeUndefined();
    expect(unfinishedAnswer({ ...known, conversation: { ...conversation, ended: true } })).toBeUndefined();
  });

  test.each([
    ['nothing was said', {}],
    ['all was said', { messages: [question, said('whole', { runId: 'r' })], runs: [interrupted] }],
    [
      'a later answer is on its way',
      { messages: [question, cut], runs: [interrupted, { id: 'x', status: 'RUNNING' }] },
    ],
    ['somebody has gone on', { messages: [question, cut, question], runs: [interrupted] }],
    ['a call shows it', { messages: [question], calls: [call], runs: [interrupted] }],
    ['people stopped it', { messages: [question], runs: [{ id: 'r', status: 'CANCELLED' }] }],
  ])('is nothing when %s', (_, parts) => {
    expect(unfinishedAnswer({ ...known, conversation: { ...emptyConversation, ...parts } })).toBeUndefined();
  });
});

test('a link names its transaction, and nothing else does', () => {
  expect(transactionInLink(fragmentFor('a-b:c_1'))).toBe('a-b:c_1');
  for (const odd of ['', '#', '#t=', '#t=a b', '#x=a', '#t=<script>', `#t=${'a'.repeat(129)}`]) {
    expect(transactionInLink(odd)).toBeUndefined();
  }
});

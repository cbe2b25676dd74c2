import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyConversation, eventTypes, reduceConversation, reduceGap } from '../src/index.ts';
import { entryAt, reduceAll } from './logs.ts';

const start = (position: number, id: string, text?: string) =>
  entryAt(position, 'MESSAGE_START', { message_id: id, ...(text ? { text } : {}) });
const part = (position: number, id: string, text: string) =>
  entryAt(position, 'MESSAGE_PART', { message_id: id, text });
const end = (position: number, id: string, start_seq: number, more: Record<string, string> = {}) =>
  entryAt(position, 'MESSAGE_END', { message_id: id, start_seq: String(start_seq), ...more });

describe('messages', () => {
  test('a streamed message grows and is complete at its END', () => {
    const log = [start(2, 'w-1', 'On'), part(3, 'w-1', 'ce'), part(4, 'w-1', ' upon')];
    expect(reduceAll(log).messages).toMatchObject([{ id: 'w-1', position: 2, text: 'Once upon', status: 'open' }]);
    const done = reduceAll([...log, end(5, 'w-1', 2, { status: 'interrupted' })]);
    expect(done.messages).toMatchObject([{ text: 'Once upon', status: 'interrupted', ts: 1_005 }]);
    expect(reduceAll([...log, end(5, 'w-1', 2)]).messages).toMatchObject([{ status: 'complete' }]);
  });

  test('streams that interleave keep their own text', () => {
    const log = [
      start(2, 'w-1'),
      start(3, 'w-2'),
      part(4, 'w-2', 'two'),
      part(5, 'w-1', 'one'),
      end(6, 'w-2', 3),
      part(7, 'w-1', '!'),
    ];
    expect(reduceAll(log).messages).toMatchObject([
      { text: 'one!', status: 'open' },
      { text: 'two', status: 'complete' },
    ]);
  });

  test('a long END that comes alone stands where its message began [READ-6]', () => {
    const log = [entryAt(3, 'MESSAGE', 'between'), entryAt(5, 'MESSAGE', 'after'), end(6, 'w-1', 2, { text: 'whole' })];
    expect(reduceAll(log).messages.map(({ text }) => text)).toEqual(['whole', 'between', 'after']);
  });

  test('a long END moves a message that its audio had shown before', () => {
    const log = [
      entryAt(3, 'MESSAGE', 'x'),
      entryAt(4, 'AUDIO', { message_id: 'w-1' }),
      entryAt(5, 'MESSAGE', 'y'),
      end(6, 'w-1', 2, { text: 'spoken' }),
    ];
    expect(reduceAll(log).messages.map(({ text }) => text)).toEqual(['spoken', 'x', 'y']);
  });

  test('the text of a long END replaces what was shown, the empty text too', () => {
    const log = [start(2, 'w-1', 'draft')];
    expect(reduceAll([...log, end(3, 'w-1', 2, { text: 'final' })]).messages).toMatchObject([{ text: 'final' }]);
    expect(reduceAll([...log, end(3, 'w-1', 2, { text: '' })]).messages).toMatchObject([{ text: '' }]);
  });

  test('a whole message shows its string, or the text of its object, and keeps its payload', () => {
    const messages = reduceAll([
      entryAt(2, 'MESSAGE', 'hi'),
      entryAt(3, 'MESSAGE', { text: 'ho', x: 1 }),
      entryAt(4, 'MESSAGE', [1]),
    ]).messages;
    expect(messages).toMatchObject([
      { id: 'e-2', text: 'hi', payload: 'hi', status: 'complete' },
      { id: 'e-3', text: 'ho', payload: { text: 'ho', x: 1 } },
      { id: 'e-4', text: '', payload: [1] },
    ]);
  });

  test('an update changes the text; a deletion leaves nothing of it behind [TEXT-3]', () => {
    const log = [
      entryAt(2, 'MESSAGE', 'secret'),
      entryAt(3, 'AUDIO', { message_id: 'e-2' }, { bytes: new Uint8Array([1]), mime: 'audio/ogg' }),
    ];
    const edited = reduceAll([...log, entryAt(4, 'MESSAGE_UPDATE', { message_id: 'e-2', text: 'open' })]);
    expect(edited.messages).toMatchObject([{ text: 'open', edited: true, payload: undefined }]);
    const deleted = reduceAll([...log, entryAt(4, 'MESSAGE_UPDATE', { message_id: 'e-2', delete: true })]);
    expect(deleted.messages).toMatchObject([{ text: '', deleted: true, payload: undefined, audio: undefined }]);
    expect(JSON.stringify(deleted)).not.toContain('secret');
  });

  test('an update of a message that is not there changes nothing', () => {
    expect(reduceAll([entryAt(2, 'MESSAGE_UPDATE', { message_id: 'gone', text: 'x' })]).messages).toEqual([]);
  });

  test('audio alone is a message; audio of an open stream does not close it', () => {
    const bytes = new Uint8Array([1, 2]);
    const alone = reduceAll([entryAt(2, 'AUDIO', {}, { bytes, mime: 'audio/ogg' })]);
    expect(alone.messages).toMatchObject([{ id: 'e-2', status: 'complete', audio: { bytes, mime: 'audio/ogg' } }]);
    const spoken = reduceAll([
      start(2, 'w-1'),
      entryAt(3, 'AUDIO', { message_id: 'w-1', mime: 'audio/ogg' }, { bytes }),
    ]);
    expect(spoken.messages).toMatchObject([{ id: 'w-1', status: 'open', audio: { bytes } }]);
  });
});

describe('runs and calls', () => {
  const call = (position: number, type: string, more: Record<string, string | number> = {}) =>
    entryAt(position, type, { call_id: 'c-1', tool: 'book', ...more });

  test('a run is running until it is finished or failed', () => {
    const run = (position: number, type: string, payload: Record<string, string>) =>
      entryAt(position, type, payload, { run_id: 'run-1' });
    const started = run(2, 'RUN_STARTED', {});
    expect(reduceAll([started]).runs).toEqual([{ id: 'run-1', status: 'RUNNING' }]);
    expect(reduceAll([started, run(3, 'RUN_FINISHED', { status: 'OK', summary: 'done' })]).runs).toEqual([
      { id: 'run-1', status: 'OK', summary: 'done' },
    ]);
    expect(reduceAll([started, run(3, 'RUN_ERROR', { code: 'X', message: 'it broke' })]).runs).toEqual([
      { id: 'run-1', status: 'ERROR', summary: 'it broke' },
    ]);
  });

  test('a call asks, is approved, makes progress and gives its result', () => {
    const log = [
      call(2, 'TOOL_CALL', { params: '12A' }),
      call(3, 'TOOL_UPDATE', { status: 'WAITING', ask: 'Book it?' }),
    ];
    expect(reduceAll(log).calls).toEqual([
      { id: 'c-1', tool: 'book', params: '12A', status: 'WAITING', ask: 'Book it?' },
    ]);
    const going = [
      ...log,
      call(4, 'TOOL_UPDATE', { status: 'APPROVED' }),
      call(5, 'TOOL_UPDATE', { status: 'RUNNING', progress: 0.5, partial: 'row 12' }),
    ];
    expect(reduceAll(going).calls).toMatchObject([{ status: 'RUNNING', progress: 0.5, partial: 'row 12' }]);
    expect(reduceAll([...going, call(6, 'TOOL_DONE', { result: 'ok' })]).calls).toMatchObject([
      { status: 'OK', result: 'ok' },
    ]);
  });

  test('an approval that comes after the end of its call changes nothing [RUN-3]', () => {
    const done = reduceAll([call(2, 'TOOL_CALL'), call(3, 'TOOL_DONE', { status: 'CANCELLED' })]);
    expect(reduceConversation(done, call(4, 'TOOL_UPDATE', { status: 'APPROVED' })).calls).toEqual(done.calls);
  });

  test('a call and a message belong to the run they were made in, whatever ends them [RUN-1]', () => {
    const inRun = { run_id: 'run-1' };
    const { messages, calls, runs } = reduceAll([
      entryAt(2, 'RUN_STARTED', {}, inRun),
      entryAt(3, 'MESSAGE_START', { message_id: 'w-1', text: 'half' }, inRun),
      entryAt(4, 'TOOL_CALL', { call_id: 'c-1', tool: 'book' }, inRun),
      entryAt(5, 'MESSAGE_END', { message_id: 'w-1', start_seq: '3', status: 'cancelled', text: 'half' }, inRun),
      entryAt(6, 'TOOL_DONE', { call_id: 'c-1', status: 'CANCELLED' }, inRun),
      entryAt(7, 'RUN_FINISHED', { status: 'CANCELLED', summary: 'a newer message came' }, inRun),
    ]);
    expect(messages).toMatchObject([{ text: 'half', status: 'cancelled', runId: 'run-1' }]);
    expect(calls).toMatchObject([{ status: 'CANCELLED', runId: 'run-1' }]);
    expect(runs).toEqual([{ id: 'run-1', status: 'CANCELLED', summary: 'a newer message came' }]);
  });
});

describe('the life of a transaction', () => {
  test('TRANSACTION_END ends everything still open, and nothing that had ended [TX-8]', () => {
    const log = [
      start(2, 'w-1', 'half'),
      start(3, 'w-2'),
      end(4, 'w-2', 3),
      entryAt(5, 'RUN_STARTED', {}, { run_id: 'run-1' }),
      entryAt(6, 'TOOL_CALL', { call_id: 'c-1', tool: 'x' }),
      entryAt(7, 'TOOL_CALL', { call_id: 'c-2', tool: 'x' }),
      entryAt(8, 'TOOL_DONE', { call_id: 'c-2' }),
      entryAt(9, 'TRANSACTION_END', {}),
    ];
    const { ended, messages, runs, calls } = reduceAll(log);
    expect(ended).toBe(true);
    expect(messages).toMatchObject([{ text: 'half', status: 'interrupted' }, { status: 'complete' }]);
    expect(runs).toMatchObject([{ status: 'INTERRUPTED' }]);
    expect(calls).toMatchObject([{ status: 'INTERRUPTED' }, { status: 'OK' }]);
  });

  test('the starter and who joined take part until they leave', () => {
    const at = (position: number, type: string, session: string) => entryAt(position, type, {}, { session });
    const log = [at(1, 'TRANSACTION_START', 's-1'), at(2, 'TRANSACTION_JOIN', 's-2'), at(3, 'TRANSACTION_JOIN', 's-2')];
    expect(reduceAll(log).participants).toEqual(['s-1', 's-2']);
    expect(reduceAll([...log, at(4, 'TRANSACTION_LEAVE', 's-1')]).participants).toEqual(['s-2']);
  });

  test('a gap is told and what was shown before stays', () => {
    const before = reduceAll([entryAt(2, 'MESSAGE', 'early')]);
    const after = reduceGap(before, { first: 3, last: 90 });
    expect(after).toMatchObject({ position: 90, gaps: [{ first: 3, last: 90 }], messages: [{ text: 'early' }] });
    expect(before.gaps).toEqual([]);
  });
});

describe('tolerance', () => {
  test('an entry of an unknown type moves the position and nothing else', () => {
    for (const type of ['DANCE', 'RUN_CANCEL', '__proto__', 'constructor']) {
      expect(reduceAll([entryAt(2, type, { message_id: 'w-1' })])).toEqual({ ...emptyConversation, position: 2 });
    }
  });

  test('no payload makes the reducer throw, or gives a message a place that is no number', () => {
    const keys = [
      'message_id',
      'call_id',
      'start_seq',
      'text',
      'status',
      'author',
      'mime',
      'progress',
      'delete',
      'summary',
    ];
    const anyValue = fc.oneof(
      fc.jsonValue(),
      fc.constant({ toString: 1, valueOf: 1 }),
      fc.constantFrom('w-1', '2', 'x'),
    );
    const anyPayload = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...keys), anyValue));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(eventTypes)), anyPayload, (type, payload) => {
        const { position, messages } = reduceAll([start(2, 'w-1'), entryAt(3, type, payload as never)]);
        expect(position).toBe(3);
        expect(messages.every((message) => Number.isInteger(message.position))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

import { type Clock, emptyConversation, type MessageWriter, reduceConversation, type Turn } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { embeddedAssistant } from '../server/assistant/embedded-assistant.ts';
import { createKnowledge } from '../server/assistant/knowledge.ts';
import { linesBefore, textOf } from '../server/assistant/lines.ts';
import { pauseAfter, wait, wordsOf } from '../server/assistant/pace.ts';
import { fakeTurn } from './fake-turn.ts';

/** Time passes at once: a timer fires in the next microtask. Remembers how long was waited. */
function hastyClock(): Clock & { waitedMs: number } {
  return {
    waitedMs: 0,
    now: () => Date.UTC(2026, 10, 22),
    monotonic: () => 0,
    timer(delayMs, fire) {
      let cancelled = false;
      this.waitedMs += delayMs;
      queueMicrotask(() => cancelled || fire());
      return { cancel: () => (cancelled = true) };
    },
  };
}

describe('the pace', () => {
  test('words joined are the text', () => {
    for (const text of ['', 'one', ' two  words ', 'a\n\nb\n- c\n', 'Zürich 🙂 東京']) {
      expect(wordsOf(text).join('')).toBe(text.trim() === '' ? '' : text);
    }
  });

  test('a text is spoken at 10 to 30 words a second', () => {
    const words = wordsOf(
      'The light had gone out. The light had never gone out. Two ships were lost, they said. '.repeat(5),
    );
    const seconds = words.reduce((sum, word) => sum + pauseAfter(word), 0) / 1000;
    expect(words.length / seconds).toBeGreaterThan(10);
    expect(words.length / seconds).toBeLessThan(30);
  });

  test('a wait ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const never: Clock = { now: () => 0, monotonic: () => 0, timer: () => ({ cancel() {} }) };
    const waiting = wait(never, 1000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(wait(never, 1000, controller.signal)).rejects.toThrow('enough');
  });
});

describe('the lines of a conversation', () => {
  const entry = { session: 's', ts: 0, payload: '', run_id: undefined, thread_id: undefined, related_id: undefined };
  const conversation = [
    { ...entry, position: 1, id: 'a', channel: 'USER', type: 'MESSAGE', payload: 'first' },
    { ...entry, position: 2, id: 'b', channel: 'USER', type: 'MESSAGE', payload: 'second' },
    { ...entry, position: 3, id: 'c', channel: 'USER', type: 'MESSAGE', payload: 'third' },
    { ...entry, position: 4, id: 'd', channel: 'AGENT', type: 'MESSAGE', payload: 'answer to the first' },
  ].reduce(reduceConversation, emptyConversation);

  test('messages that wait behind the one being answered are not read yet', () => {
    expect(linesBefore(conversation, 2, 'second')).toEqual([
      { who: 'person', text: 'first' },
      { who: 'assistant', text: 'answer to the first' },
      { who: 'person', text: 'second' },
    ]);
  });

  test('a text is a string or the text of an object', () => {
    expect(textOf('a')).toBe('a');
    expect(textOf({ text: 'b' })).toBe('b');
    for (const payload of [null, 1, true, [], {}, { text: 3 }]) expect(textOf(payload)).toBeUndefined();
  });
});

describe('the embedded assistant', () => {
  const assistant = embeddedAssistant(
    createKnowledge('## Nothing\n\nNothing is known here about anything at all.'),
    hastyClock(),
  );

  test('it streams its answer word by word and closes it', async () => {
    const { turn, written, ended } = fakeTurn('count to 60');
    await assistant.onMessage?.(turn, 'count to 60');
    expect(written).toHaveLength(60);
    expect(written.join('')).toMatch(/^1, 2, 3, .* 59, 60\.$/);
    expect(ended()).toBe(true);
  });

  test('it stops in the middle when its turn is stopped', async () => {
    const controller = new AbortController();
    const { turn, written } = fakeTurn('count to 60', controller.signal);
    const stopping: Turn = {
      ...turn,
      async stream(options) {
        const writer: MessageWriter = await turn.stream(options);
        return {
          ...writer,
          async write(text) {
            await writer.write(text);
            if (written.length === 5) controller.abort(new Error('stopped'));
          },
        };
      },
    };
    await expect(assistant.onMessage?.(stopping, 'count to 60')).rejects.toThrow('stopped');
    expect(written).toHaveLength(5);
  });

  test.each([
    [true, 'The reminder to stretch is set.'],
    [false, 'All right: no reminder to stretch.'],
  ])('before it sets a reminder it asks; when allowed is %s it says: %s', async (isAllowed, said) => {
    const { turn, written, told } = fakeTurn('Remind me to stretch', undefined, [], isAllowed);
    await assistant.onMessage?.(turn, 'Remind me to stretch');
    const [call, question, ...then] = told;
    expect([call, question]).toEqual([['set_reminder', { reminder: 'to stretch' }], 'Set a reminder to stretch?']);
    expect(then).toEqual(isAllowed ? [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 'done'] : ['done']);
    expect(written.join('')).toContain(said);
  });

  test('what is no text is declined', async () => {
    const { turn, replies } = fakeTurn({ odd: true });
    await assistant.onMessage?.(turn, { odd: true });
    expect(replies).toEqual(['I read text only.']);
  });
});

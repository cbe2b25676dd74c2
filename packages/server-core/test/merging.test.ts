// Parts of a message in one frame: those that a reader finds at once, and never at the cost of a word.

import { type Entry, emptyConversation, reduceConversation } from '@haip/protocol';
import { settle } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LoggedEntry } from '../src/logged-entry.ts';
import { adjacentParts, mergedFrame } from '../src/merged-parts.ts';
import {
  entriesOf,
  expectContiguous,
  join,
  type LinkedPeer,
  see,
  seeEntry,
  settled,
  start,
  testServer,
  times,
} from './support.ts';
import { toolThat } from './tools.ts';

const flowing = (messages: number) => ({
  capabilities: {
    binary_frames: true,
    transaction_log: true,
    flow_control: { initial_credit_messages: messages, initial_credit_bytes: 1_000_000 },
  },
});

/** A story told word by word, as the test says, to ada; eve reads along. */
async function telling(hai: Record<string, unknown>, link = {}, limits = {}) {
  let tell: (word: string) => Promise<void> = () => Promise.reject(new Error('not yet'));
  let end = () => {};
  const tool = toolThat(async (turn) => {
    const writer = await turn.stream();
    tell = (word) => writer.write(word);
    await new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  const server = testServer({ tools: [tool], limits });
  const ada = await server.enter('ada');
  const { id } = await start(ada, 'tool');
  const eve = await server.enter('eve', hai, link);
  await join(eve, id);
  await settled(ada, ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' }));
  await seeEntry(ada, { type: 'MESSAGE_START' });
  const words = async (...all: string[]): Promise<void> => {
    for (const word of all) await tell(word);
    await settle();
  };
  return { ...server, ada, eve, id, words, end: () => end() };
}

function parts(peer: LinkedPeer): [from: string | undefined, seq: string, text: string][] {
  return entriesOf(peer)
    .filter(({ type }) => type === 'MESSAGE_PART')
    .map(({ from_seq, seq, payload }) => [from_seq, seq, payload.text]);
}

function grant(peer: LinkedPeer, transaction: string, add_messages: number) {
  return settled(peer, peer.send({ type: 'FLOW_UPDATE', transaction, payload: { channel: 'AGENT', add_messages } }));
}

describe('a reader that had to wait', () => {
  test('[READ-7] for its window gets what gathered as one frame, which is one in the window', async () => {
    // RUN_STARTED, MESSAGE_START and two words fit.
    const { ada, eve, id, words, end } = await telling(flowing(4));
    await words('a ', 'b ');
    await words('c ', 'd ', 'e ');
    expect(parts(eve).map(([from, , text]) => [from, text])).toEqual([
      [undefined, 'a '],
      [undefined, 'b '],
    ]);
    await grant(eve, id, 2);
    const [, , merged] = parts(eve);
    expect(merged).toEqual(['8', '10', 'c d e ']);
    // It has caught up, with one message left in its window.
    await words('f ', 'g ');
    expect(parts(eve).slice(3)).toEqual([[undefined, '11', 'f ']]);
    await grant(eve, id, 100);
    expect(parts(eve).slice(4)).toEqual([[undefined, '12', 'g ']]);
    await Promise.all([words('h '), words('i ')]);
    expect(parts(eve).slice(5)).toEqual([[undefined, '13', 'h i ']]);
    end();
    const short = await seeEntry(eve, { type: 'MESSAGE_END' });

    expect(short.payload).not.toHaveProperty('text');
    expectContiguous(eve, id, 0);
    expect(parts(ada).map(([from]) => from)).toEqual(times(8, () => undefined));
    expect(
      parts(ada)
        .map(([, , text]) => text)
        .join(''),
    ).toBe('a b c d e f g h i ');
    const last = entriesOf(ada).find(({ seq }) => seq === '10');
    expect(entriesOf(eve).find(({ seq }) => seq === '10')).toEqual({
      ...last,
      payload: { ...last?.payload, text: 'c d e ' },
      from_seq: '8',
    });
  });

  test('[READ-7] for its link gets what gathered in few frames', async () => {
    const { eve, words, id, end } = await telling({}, { highWaterBytes: 1_000 });
    eve.link.stall('down');
    await words(...times(60, (n) => `${n} `));
    eve.link.resume('down');
    await see(eve, ({ payload }) => String(payload.text).endsWith('59 '));
    expect(parts(eve).length).toBeLessThan(20);
    expect(
      parts(eve)
        .map(([, , text]) => text)
        .join(''),
    ).toBe(times(60, (n) => `${n} `).join(''));
    end();
    await seeEntry(eve, { type: 'MESSAGE_END' });
    expectContiguous(eve, id, 0);
  });

  test('[READ-7] gets none merged when it takes no parts', async () => {
    const hai = { ...flowing(0), accept_events: ['MESSAGE', 'MESSAGE_END', 'RUN_STARTED'] };
    const { eve, words, id, end } = await telling(hai);
    await words('a', 'b');
    end();
    await settle();
    eve.send({ type: 'FLOW_UPDATE', transaction: id, payload: { add_messages: 9 } });
    const long = await seeEntry(eve, { type: 'MESSAGE_END' });

    expect([parts(eve), long.payload.text]).toEqual([[], 'ab']);
  });
});

test('[READ-7] a reader that keeps up gets each part as it comes, one that missed them gets one frame', async () => {
  const { ada, enter, id, words, end } = await telling({});
  await words('a', 'b', 'c');
  const late = await enter('late');
  await join(late, id);
  await settle();
  end();

  expect(parts(ada).map(([, , text]) => text)).toEqual(['a', 'b', 'c']);
  expect(parts(late).map(([, , text]) => text)).toEqual(['abc']);
  expectContiguous(late, id, 0);
});

describe('adjacent parts', () => {
  const entry = (position: number, fields: Partial<Entry> = {}): LoggedEntry =>
    new LoggedEntry('tx', {
      position,
      id: `m-${position}`,
      user: null,
      session: 's',
      ts: position,
      channel: 'AGENT',
      type: 'MESSAGE_PART',
      payload: { message_id: 'w', text: 'x' },
      size: 1,
      run_id: 'run',
      ...fields,
    });
  const most = 256 * 1024;

  test.each<[string, Partial<Entry>]>([
    ['of another message', { payload: { message_id: 'other', text: 'x' } }],
    ['of another session', { session: 'other' }],
    ['of another channel', { channel: 'USER' }],
    ['of another run', { run_id: 'other' }],
    ['of another thread', { thread_id: 'other' }],
    ['that answers something', { related_id: 'other' }],
    ['with more than its text', { payload: { message_id: 'w', text: 'x', more: 1 } }],
    ['that is the end', { type: 'MESSAGE_END' }],
    ['behind a hole', { position: 4 }],
  ])('end before one %s', (_, fields) => {
    const entries = [entry(1), entry(2), entry(3, fields), entry(5)];

    expect(adjacentParts(entries, 0, most)).toBe(2);
    expect(adjacentParts([entry(1, { ...fields, position: 1 })], 0, most)).toBe(1);
  });

  test('stay below the largest text, however it is escaped', () => {
    const text = '\u0001'.repeat(10_000);
    const entries = times(8, (n) => entry(n + 1, { payload: { message_id: 'w', text } }));
    for (const limit of [70_000, 130_000, most]) {
      const count = adjacentParts(entries, 0, limit);
      expect(count).toBe(Math.max(1, Math.floor((limit - 4_096) / 60_000)));
      if (count > 1) expect(mergedFrame('tx', entries.slice(0, count)).text.length).toBeLessThan(limit);
    }
  });

  test('say the same as one by one', () => {
    const anyText = fc.array(fc.constantFrom('a ', 'é', '東京', '👩‍👧', '\ud800', '\udc00', '"\\', '\u0001\n', ''), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 5 }), (texts, step) => {
        const entries = texts.map((text, n) => entry(n + 2, { payload: { message_id: 'w', text } }));
        const begin = { ...entry(1).entry, type: 'MESSAGE_START', payload: { message_id: 'w' } };
        let conversation = reduceConversation(emptyConversation, begin);
        for (let at = 0; at < entries.length; at += step) {
          const read = JSON.parse(mergedFrame('tx', entries.slice(at, at + step)).text);
          expect(Number(read.from_seq)).toBe(at + 2);
          conversation = reduceConversation(conversation, { ...read, position: Number(read.seq), ts: Number(read.ts) });
        }
        expect(conversation.messages.map(({ id, text }) => [id, text])).toEqual([['w', texts.join('')]]);
      }),
    );
  });
});

// What is refused at the start, with what reason; and whose clock counts.
import type { HistoryStore } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { assertKeepsText, draft, recordOf, startOf } from '@haip/testing/store-kit';
import { jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { natsHistory } from '../src/index.ts';
import { opener, servers } from './streams.ts';

const { open, optionsOf } = opener();
const DAY = 86_400_000;
const createChat = (store: HistoryStore) => store.create(recordOf('chat'), startOf(recordOf('chat')));

afterEach(() => void vi.restoreAllMocks());

describe('options', () => {
  test.each([
    [{ servers: '' }, /servers: expected host:port/],
    [{ servers: [] }, /servers: expected host:port/],
    [{ name: 'a.b' }, /name: expected 1 to 64/],
    [{ name: '>' }, /name: expected/],
    [{ name: 'x'.repeat(65) }, /name: expected/],
    [{ storage: 'disk' as never }, /storage: expected "file" or "memory"/],
    [{ replicas: 0 }, /replicas: expected/],
    [{ replicas: 6 }, /replicas: expected/],
    [{ timeoutMs: 99 }, /timeoutMs: expected/],
    [{ cacheBytes: 1 }, /cacheBytes: expected/],
    [{ windowSize: 0 }, /windowSize: expected/],
    [{ windowTime: '3 weeks' as never }, /windowTime: expected/],
  ])('%j is a RangeError that names the option', async (options, message) => {
    await expect(natsHistory(options)).rejects.toThrow(RangeError);
    await expect(natsHistory(options)).rejects.toThrow(message);
  });

  test('a server that is not there is an error that names it', async () => {
    await expect(natsHistory({ servers: '127.0.0.1:1', timeoutMs: 500 })).rejects.toThrow(
      /servers: no NATS at 127.0.0.1:1/,
    );
  });
});

describe('streams of the name that are there already', () => {
  test.each<[string, Partial<StreamConfig>, RegExp]>([
    ['of somebody else', {}, /is not one of HAIP's; choose another name/],
    [
      'that forget by age',
      { max_age: 60_000_000_000 },
      /has max_age 60000000000; expected 0, or logs would lose entries/,
    ],
    ['that drop what is old', { discard: 'old' }, /has discard old; expected new/],
    ['that keep one message a subject', { max_msgs_per_subject: 1 }, /has max_msgs_per_subject 1; expected -1/],
  ])('%s are refused and left as they are', async (_what, config, message) => {
    const store = await open();
    const { name: others = '' } = optionsOf(store);
    const name = `${others}-not-ours`;
    await store.close();
    const nc = await connect({ servers });
    const jsm = await jetstreamManager(nc);
    await jsm.streams.add({ name, subjects: [`${name}.theirs`], discard: 'new', ...config });
    await expect(natsHistory({ servers, name })).rejects.toThrow(message);
    expect((await jsm.streams.info(name)).config.subjects).toEqual([`${name}.theirs`]);
    await jsm.streams.delete(name);
    await nc.close();
  });
});

describe('time', () => {
  test('F38: without a clock of its own the server decides: a node whose clock is a day ahead, or behind, moves no window', async () => {
    const store = await open({ windowTime: '1h' });
    await createChat(store);
    for (const jump of [DAY, -DAY]) {
      const wall = Date.now;
      vi.spyOn(Date, 'now').mockImplementation(() => wall() + jump);
      const wrong = await open(optionsOf(store));
      const one = draft();
      await wrong.append('chat', [one]);
      expect(one.outcome?.kind).toBe('stored');
      vi.restoreAllMocks();
      for (const node of [wrong, store]) expect((await node.head('chat'))?.first).toBe(1);
      await wrong.revoke('ann');
      const { revoked } = await store.heads([], `${(await store.head('chat'))?.epoch}/0`);
      expect(revoked.at(-1)?.agoMs).toBeLessThan(60_000);
      await wrong.close();
    }
    await store.close();
  });

  test('F38: a wall clock set back between two runs does not turn the time of the store back', async () => {
    const first = fakeClock();
    const store = await open({ clock: first, windowTime: '1h' });
    await createChat(store);
    await first.advance(DAY);
    await store.append('chat', [draft()]);
    const behind = fakeClock({ now: first.now() - 30 * DAY });
    const again = await open({ ...optionsOf(store), clock: behind });
    expect(await again.head('chat')).toMatchObject({ first: 2, last: 2 });
    await behind.advance(3_600_000);
    expect(await again.head('chat')).toMatchObject({ first: 3, last: 2 });
    await store.close();
    await again.close();
  });
});

test('A69: dots, wildcards and whatever else NATS reads into a subject are text like any other in ids, users and topics', async () => {
  const evil = [
    'a.b',
    '*',
    '>',
    'a.*',
    'a.>',
    ' ',
    'a b',
    '\r\nPUB x 0',
    '',
    '=',
    '=abc',
    '$JS.API.>',
    '\u0000',
    '\ud800',
    'ü',
    'x'.repeat(300),
  ];
  const store = await open();
  const topics: string[] = [];
  for (const text of evil) store.listen(text, (body) => topics.push(`${text}|${Buffer.from(body)}`));
  for (const text of evil) {
    await assertKeepsText(store, text);
    await store.notify(text, Buffer.from('told'));
  }
  const late = await open(optionsOf(store));
  const { heads } = await late.heads(evil);
  expect(heads).toEqual(evil.map(() => expect.objectContaining({ first: 1, last: 3 })));
  // In order, as one node tells: each topic has heard its own word, and no other's.
  await vi.waitFor(() => expect(topics).toEqual(evil.map((text) => `${text}|told`)));
  await store.close();
  await late.close();
});

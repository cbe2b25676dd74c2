// What is let go of, and when; in the end nothing is left.
import type { Draft, HistoryStore } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { keysOf, redisUrl, temporaryPrefixes } from './prefixes.ts';
import { commandTo } from './redis-server.ts';
import { createChat, put, withStore } from './stores.ts';

const nextPrefix = temporaryPrefixes();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** An answer in 40 parts, whole and compacted. */
async function streamAnswer(store: HistoryStore, id: string): Promise<void> {
  const piece = (step: 'open' | 'part' | 'end', type: string, text?: string): Draft =>
    draft({ user: null, type, payload: { message_id: id, text: text ?? '' }, subject: { key: `message:${id}`, step } });
  const parts = Array.from({ length: 40 }, () => piece('part', 'MESSAGE_PART', 'a token '));
  const drafts = [piece('open', 'MESSAGE_START'), ...parts, piece('end', 'MESSAGE_END', 'a token '.repeat(40))];
  await store.append('chat', drafts);
  const [start = 0, end = 0] = [drafts.at(0), drafts.at(-1)].map((it) =>
    it?.outcome?.kind === 'stored' ? it.outcome.position : 0,
  );
  await store.compact('chat', { messageId: id, start, end });
}

test('entries that ran out of their time go, without anybody asking for them', async () => {
  const options = { prefix: nextPrefix(), windowTime: '1h' as const, clock: fakeClock() };
  const entries = `${options.prefix}:log:{chat}:entries`;
  await withStore(options, async (store) => {
    await createChat(store);
    await options.clock.advance(HOUR / 2);
    await put(store);
  });
  expect(await commandTo(redisUrl, ['XLEN', entries])).toBe(2);
  await options.clock.advance(HOUR / 2);
  await withStore(options, async () => {});
  expect(await commandTo(redisUrl, ['XLEN', entries])).toBe(1);
  const least = ['due', 'list:{ann}', 'log:{chat}', 'meta', 'references:{ann}'].map(
    (name) => `${options.prefix}:${name}`,
  );
  await options.clock.advance(HOUR);
  await withStore(options, async () => {});
  expect(await keysOf(options.prefix)).toEqual(least);
  // Nor do those wait that come when all was gone.
  await withStore(options, put);
  expect(await commandTo(redisUrl, ['XLEN', entries])).toBe(1);
  await options.clock.advance(2 * HOUR);
  await withStore(options, async () => {});
  expect(await keysOf(options.prefix)).toEqual(least);
});

test('a message that ran out of its time is not taken for compacted: what can be read never begins further back', async () => {
  const clock = fakeClock();
  await withStore({ prefix: nextPrefix(), clock, windowTime: '1h' }, async (store) => {
    await createChat(store);
    const piece = (id: string, step: 'open' | 'end', type: string) =>
      draft({ type, payload: { message_id: id, text: '' }, subject: { key: `message:${id}`, step } });
    await store.append('chat', [
      piece('whole', 'open', 'MESSAGE_START'),
      piece('open', 'open', 'MESSAGE_START'),
      piece('whole', 'end', 'MESSAGE_END'),
    ]);
    await clock.advance(HOUR);
    const before = await store.head('chat');
    expect(before).toMatchObject({ first: 3, last: 4 });
    await store.compact('chat', { messageId: 'whole', start: 2, end: 4 });
    expect(await store.head('chat')).toEqual(before);
  });
});

test('ids and ends are known as long as the window reaches back to them', async () => {
  const clock = fakeClock();
  await withStore({ prefix: nextPrefix(), clock, windowTime: '4h' }, async (store) => {
    await createChat(store);
    const one = draft();
    const subject = (step: 'open' | 'end') => draft({ type: 'RUN', subject: { key: 'run:r', step } });
    await store.append('chat', [one, subject('open'), subject('end')]);
    for (let quarter = 1; quarter < 15; quarter++) {
      await clock.advance(HOUR / 4);
      await put(store);
      const again = [{ ...one }, subject('open')];
      await store.append('chat', again);
      expect(again.map(({ outcome }) => outcome)).toMatchObject([
        { kind: 'repeat', position: 2 },
        { kind: 'refused', why: 'subject' },
      ]);
    }
  });
});

test('ids are forgotten 15 minutes after they are out of the window, or a little later', async () => {
  const clock = fakeClock();
  await withStore({ prefix: nextPrefix(), clock, windowTime: '1m' }, async (store) => {
    await createChat(store);
    const one = draft();
    await store.append('chat', [one]);
    const known = async (): Promise<boolean> => (await store.find('chat', 'ann', one.id)) !== null;
    await clock.advance(14 * 60_000);
    await put(store);
    expect(await known()).toBe(true);
    // One generation more at most: a quarter of an hour.
    await clock.advance(16 * 60_000);
    await put(store);
    await clock.advance(16 * 60_000);
    await put(store);
    expect(await known()).toBe(false);
  });
});

test("of the agent's ids the newest are known, however many there are in a window", async () => {
  const options = { prefix: nextPrefix(), clock: fakeClock(), windowSize: 100_000 };
  await withStore(options, async (store) => {
    await createChat(store);
    const all: Draft[] = [];
    for (let round = 0; round < 12; round++) {
      await options.clock.advance(4_000);
      const more = Array.from({ length: 1024 }, () => draft({ user: null }));
      all.push(...more);
      await store.append('chat', more);
      // Tried again by a server that had no answer for some seconds.
      const again = all.slice(-3 * 1024).map((one) => ({ ...one }));
      await store.append('chat', again);
      expect(new Set(again.map(({ outcome }) => outcome?.kind))).toEqual(new Set(['repeat']));
    }
  });
  const own = [`${options.prefix}:log:{chat}:own`, `${options.prefix}:log:{chat}:own-old`];
  const sizes = await Promise.all(own.map((key) => commandTo(redisUrl, ['HLEN', key])));
  expect(Number(sizes[0]) + Number(sizes[1])).toBeLessThanOrEqual(8 * 1024);
});

test("the agent's ids and the room of what was compacted are given back a minute after the last entry", async () => {
  const options = { prefix: nextPrefix(), clock: fakeClock(), windowTime: '1d' as const };
  const log = `${options.prefix}:log:{chat}`;
  const bytes = (): Promise<number> => commandTo(redisUrl, ['MEMORY', 'USAGE', `${log}:entries`]) as Promise<number>;
  await withStore(options, async (store) => {
    await createChat(store);
    for (let answer = 0; answer < 30; answer++) await streamAnswer(store, `m${answer}`);
    await options.clock.advance(59_000);
  });
  const read = async (store: HistoryStore) => store.read('chat', { from: 1 });
  const [before, active] = [await bytes(), await withStore(options, read)];
  expect(active?.entries).toHaveLength(31);
  expect(await keysOf(options.prefix)).toContain(`${log}:own`);
  await options.clock.advance(1_000);
  await withStore(options, async () => {});
  expect(await keysOf(options.prefix)).not.toContain(`${log}:own`);
  expect(await bytes()).toBeLessThan(before / 2);
  expect(await commandTo(redisUrl, ['PTTL', `${log}:entries`])).toBeGreaterThan(59 * DAY);
  await withStore(options, async (store) => {
    expect(await read(store)).toEqual(active);
    await put(store);
    expect(await store.head('chat')).toMatchObject({ first: 1, last: (active?.last ?? 0) + 1 });
    await options.clock.advance(DAY - 60_000);
    expect(await store.head('chat')).toMatchObject({ first: (active?.last ?? 0) + 1 });
  });
});

test('more logs than are looked after at a time all get their turn, and those that cannot shrink are not looked at for ever', async () => {
  const options = { prefix: nextPrefix(), clock: fakeClock(), windowTime: '1h' as const };
  const names = Array.from({ length: 150 }, (_, i) => `chat-${i}`);
  await withStore(options, async (store) => {
    for (const name of names) {
      await createChat(store, name);
      const opening = draft({ type: 'MESSAGE_START', subject: { key: 'message:m', step: 'open' } });
      await store.append(name, [draft(), opening, draft()]);
    }
  });
  await options.clock.advance(2 * HOUR);
  await withStore(options, async () => {});
  for (const name of names) {
    expect(await commandTo(redisUrl, ['XLEN', `${options.prefix}:log:{${name}}:entries`])).toBe(2);
  }
  const time = String(await commandTo(redisUrl, ['HGET', `${options.prefix}:meta`, 'time']));
  expect(await commandTo(redisUrl, ['ZCOUNT', `${options.prefix}:due`, '-inf', time])).toBe(0);
});

test('a transaction goes 30 days after its last entry, all of it', async () => {
  const options = { prefix: nextPrefix(), clock: fakeClock() };
  await withStore(options, async (store) => {
    await createChat(store);
    await put(store, { type: 'TRANSACTION_JOIN', user: 'bob', payload: {} });
    await put(store, { user: null });
    await put(store, { type: 'MESSAGE_START', subject: { key: 'message:m', step: 'open' } });
  });
  await options.clock.advance(30 * DAY - 1);
  await withStore(options, async (store) => {
    expect(await store.get('chat')).not.toBeNull();
    expect((await store.list('bob')).transactions).toHaveLength(1);
  });
  await options.clock.advance(1);
  // It may be due a little later than it is over.
  await withStore(options, async () => {});
  await options.clock.advance(HOUR);
  await withStore(options, async () => {});
  await withStore(options, async (store) => {
    const lists = await Promise.all(['ann', 'bob'].map((user) => store.list(user)));
    expect([await store.get('chat'), ...lists.map(({ transactions }) => transactions)]).toEqual([null, [], []]);
  });
  expect(await keysOf(options.prefix)).toEqual([`${options.prefix}:meta`]);
});

test('Redis itself lets go of everything of a transaction, should no store ever run again', async () => {
  const prefix = nextPrefix();
  await withStore({ prefix }, async (store) => {
    await createChat(store);
    await put(store, { user: null });
    await put(store, { type: 'RUN_STARTED', subject: { key: 'run:r', step: 'open' } });
    await put(store, { type: 'RUN_FINISHED', subject: { key: 'run:r', step: 'end' } });
  });
  const own = (await keysOf(prefix)).filter((key) => key.includes(':log:'));
  expect(own.length).toBeGreaterThan(3);
  for (const key of own) expect(await commandTo(redisUrl, ['PTTL', key])).toBeGreaterThan(59 * DAY);
});

test('a reference or a place in a list whose transaction is gone is as if it were not there', async () => {
  const prefix = nextPrefix();
  await withStore({ prefix }, async (store) => {
    await createChat(store);
    await createChat(store, 'other');
    await commandTo(redisUrl, ['DEL', `${prefix}:log:{chat}`, `${prefix}:log:{chat}:entries`]);
    expect((await store.list('ann')).transactions.map(({ transaction }) => transaction)).toEqual(['other']);
    expect(await commandTo(redisUrl, ['ZCARD', `${prefix}:list:{ann}`])).toBe(1);
    const again = recordOf('again', { referenceId: 'reference-of-chat' });
    expect(await store.create(again, startOf(again))).toMatchObject({ created: true, record: again });
  });
});

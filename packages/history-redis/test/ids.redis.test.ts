// Whatever is in an id, it is an id: never a pattern, another transaction's key, or a command.

import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import { keysOf, redisUrl, temporaryPrefixes } from './prefixes.ts';

const nextPrefix = temporaryPrefixes();

const evil = [
  '*',
  '?',
  '[a-z]*',
  '{a}',
  'a}:entries',
  '}{',
  ':*{}',
  "'; FLUSHALL; --",
  '\r\nFLUSHALL\r\n',
  "]] redis.call('FLUSHALL') --[[",
  '%s%n',
  ' ',
  'a b',
  'a\u0000b',
  '\ud800',
  '\ud801',
  '\ufffd',
  '\u00e9',
  'e\u0301',
];

test('A68: patterns, tags, commands and broken characters in ids are text like any other', async () => {
  const prefix = nextPrefix();
  const store = await redisHistory({ url: redisUrl, prefix, logger: () => {} });
  try {
    for (const text of evil) {
      const record = recordOf(text, {
        starter: text,
        referenceId: text,
        tool: text,
        title: text,
        params: { [text]: text },
      });
      const first = draft({ id: text, user: text, type: 'TRANSACTION_START', payload: { [text]: text } });
      expect(await store.create(record, first)).toMatchObject({ created: true, record });
      const label = { session: text, channel: text, run_id: text, thread_id: text };
      const one = draft({ id: `${text} 2`, user: text, ...label, payload: text });
      const subject = { key: `message:${text}`, step: 'open' as const, owner: text };
      const opening = draft({ user: text, type: 'MESSAGE_START', subject });
      const stranger = draft({
        user: 'x',
        type: 'MESSAGE_PART',
        subject: { ...subject, step: 'part', owner: `${text}x` },
      });
      await store.append(text, [one, opening, stranger]);
      expect([one.outcome, opening.outcome, stranger.outcome]).toEqual([
        { kind: 'stored', position: 2 },
        { kind: 'stored', position: 3 },
        { kind: 'refused', why: 'subject' },
      ]);
    }
    // Each after all were written, so that none has written into another.
    for (const text of evil) {
      expect(await store.head(text)).toMatchObject({ first: 1, last: 3 });
      expect(await store.get(text)).toMatchObject({ transaction: text, starter: text, title: text });
      expect((await store.list(text)).transactions.map(({ transaction }) => transaction)).toEqual([text]);
      expect(await store.find(text, text, `${text} 2`)).toMatchObject({ position: 2 });
      const page = await store.read(text, { from: 2, to: 2 });
      expect(page?.entries[0]).toMatchObject({ id: `${text} 2`, user: text, payload: text, run_id: text });
      const again = recordOf('another', { starter: text, referenceId: text });
      expect(await store.create(again, startOf(again))).toMatchObject({
        created: false,
        record: { transaction: text },
      });
      expect(await store.lease(text, text, 1000)).not.toBeNull();
      await store.compact(text, { messageId: text, start: 3, end: 3 });
    }
    const { place } = await store.heads([]);
    for (const text of evil) await store.revoke(text);
    expect((await store.heads([], place)).revoked.map(({ user }) => user)).toEqual(evil);
  } finally {
    await store.close();
  }
});

test('A68: every key begins with the prefix, and none has a pattern in it', async () => {
  const prefix = nextPrefix();
  const store = await redisHistory({ url: redisUrl, prefix, logger: () => {} });
  for (const text of evil) {
    const record = recordOf(text, { starter: text });
    await store.create(record, startOf(record));
    await store.append(text, [
      draft({ user: null }),
      draft({ type: 'TRANSACTION_JOIN', user: `${text} joins`, payload: {} }),
    ]);
  }
  await store.close();
  const names = await keysOf(prefix);
  expect(names.length).toBeGreaterThan(evil.length * 5);
  const pattern = new RegExp(`^${prefix}:(meta|due|(log|list|references):\\{[A-Za-z0-9_.:%-]*\\}(:[a-z-]+)?)$`);
  for (const name of names) expect(name).toMatch(pattern);
});

test('two prefixes know nothing of each other', async () => {
  const [one, two] = await Promise.all(
    [nextPrefix(), nextPrefix()].map((prefix) => redisHistory({ url: redisUrl, prefix, logger: () => {} })),
  );
  const heard: string[] = [];
  two?.watch((transaction) => heard.push(transaction));
  const record = recordOf('chat');
  await one?.create(record, startOf(record));
  expect(await two?.get('chat')).toBeNull();
  await two?.create(record, startOf(record));
  await one?.append('chat', [draft()]);
  expect([(await one?.head('chat'))?.last, (await two?.head('chat'))?.last]).toEqual([2, 1]);
  expect(heard).toEqual([]);
  await one?.close();
  await two?.close();
});

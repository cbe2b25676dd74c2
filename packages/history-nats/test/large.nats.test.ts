// What is larger than a message of NATS may be: entries, appends of many, words; and a word that loses a piece.
import type { Draft } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { connect, headers } from '@nats-io/transport-node';
import { expect, test, vi } from 'vitest';
import { opener, servers } from './streams.ts';

const { open, optionsOf } = opener({ windowSize: 10_000, maxBytes: 2 ** 30 });
const MIB = 2 ** 20;

test('I17: bytes and texts of many MiB, and appends of thousands, are there as a whole, on every node', async () => {
  const store = await open();
  await store.create(recordOf('chat'), startOf(recordOf('chat')));
  const large = [
    draft({ type: 'AUDIO', payload: {}, bytes: new Uint8Array(MIB).map((_, i) => i * 7), size: MIB }),
    draft({ payload: 'é'.repeat(3 * MIB), size: 6 * MIB }),
    draft({ type: 'AUDIO', payload: {}, bytes: new Uint8Array(), size: 0 }),
  ];
  for (const one of large) await store.append('chat', [one]);
  const many = Array.from({ length: 3000 }, () => draft());
  // Together with others that want to come in between.
  const others = Array.from({ length: 20 }, () => draft({ user: 'bob' }));
  await Promise.all([store.append('chat', many), ...others.map(async (one) => store.append('chat', [one]))]);
  const late = await open(optionsOf(store));
  for (const node of [store, late]) {
    const page = await node.read('chat', { from: 2, maxEntries: 10_000, maxBytes: 2 ** 30 });
    const entries = page?.entries ?? [];
    expect(entries).toHaveLength(3023);
    for (const [i, { payload, bytes }] of large.entries()) {
      expect(entries[i]?.payload).toEqual(payload);
      expect(Buffer.compare(Buffer.from(entries[i]?.bytes ?? []), Buffer.from(bytes ?? []))).toBe(0);
    }
    const start = many[0]?.outcome?.kind === 'stored' ? many[0].outcome.position : 0;
    expect(entries.slice(start - 2, start - 2 + 3000).map(({ id }) => id)).toEqual(many.map(({ id }) => id));
  }
  await store.close();
  await late.close();
});

test('two nodes that add what takes parts to one log at once both get it in, whole', async () => {
  const one = await open();
  const nodes = [one, await open(optionsOf(one))];
  await one.create(recordOf('chat'), startOf(recordOf('chat')));
  const written = await Promise.all(
    nodes.map(async (store, i) => {
      const drafts: Draft[] = [];
      for (let n = 0; n < 10; n++) {
        const one = draft({
          type: 'AUDIO',
          payload: {},
          bytes: new Uint8Array(300_000).fill(i * 10 + n),
          size: 300_000,
        });
        await store.append('chat', [one]);
        drafts.push(one);
      }
      return drafts;
    }),
  );
  const page = await one.read('chat', { from: 2, maxBytes: 2 ** 30 });
  expect(page?.entries).toHaveLength(20);
  for (const { outcome, bytes } of written.flat()) {
    if (outcome?.kind !== 'stored') throw new Error('expected stored');
    const stored = page?.entries[outcome.position - 2]?.bytes;
    expect([stored?.length, stored?.[0], stored?.at(-1)]).toEqual([300_000, bytes?.[0], bytes?.[0]]);
  }
  for (const store of nodes) await store.close();
});

test('a word that loses a piece is lost, and the next one is heard', async () => {
  const store = await open();
  const { name } = optionsOf(store);
  const heard: string[] = [];
  store.listen('node-1', (body) => void heard.push(Buffer.from(body).toString()));
  const nc = await connect({ servers });
  const piece = (word: string, at: number, count: number, text: string): void => {
    const head = headers();
    head.set('Haip-Piece', `${word} ${at} ${count}`);
    nc.publish(`${name}.word.node-1`, text, { headers: head });
  };
  await vi.waitFor(async () => {
    nc.publish(`${name}.word.node-1`, 'there');
    await nc.flush();
    expect(heard).toContain('there');
  });
  heard.length = 0;
  piece('first-lost', 1, 2, 'x');
  piece('middle-lost', 0, 3, 'x');
  piece('middle-lost', 2, 3, 'x');
  piece('interleaved', 0, 2, 'one, ');
  piece('other', 0, 2, 'a ');
  piece('interleaved', 1, 2, 'two');
  piece('other', 1, 2, 'b');
  nc.publish(`${name}.word.node-1`, 'whole');
  await vi.waitFor(() => expect(heard.at(-1)).toBe('whole'));
  expect(heard).toEqual(['one, two', 'a b', 'whole']);
  await nc.close();
  await store.close();
});

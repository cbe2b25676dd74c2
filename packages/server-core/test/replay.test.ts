import { createPermissionMap } from '@haip/protocol';
import { fakeClock, type RawEnvelope } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import {
  answerTo,
  entriesOf,
  join,
  type LinkedPeer,
  say,
  see,
  seeEntry,
  settled,
  start,
  testServer,
  times,
  userOf,
} from './support.ts';
import { streaming } from './tools.ts';

interface Page {
  readonly entries: readonly RawEnvelope[];
  readonly end: RawEnvelope;
}

/** Asks for a page and gives it with what ended it: the INFO, or an ERROR. */
async function replay(
  peer: LinkedPeer,
  transaction: string,
  from: number | string,
  to?: number | string,
): Promise<Page> {
  const from_seq = String(from);
  const before = peer.received.length;
  const payload = to === undefined ? { from_seq } : { from_seq, to_seq: String(to) };
  const end = await answerTo(peer, peer.send({ type: 'REPLAY_REQUEST', transaction, payload }));
  const entries = peer.received.slice(before, peer.received.indexOf(end)).filter(({ seq }) => seq !== '0');
  return { entries, end };
}

const positions = ({ entries }: Page): number[] => entries.map(({ seq }) => Number(seq));

describe('a replay', () => {
  test('[REPLAY-1] gives what is stored, own messages too, END long, and says how far', async () => {
    const { enter } = testServer({ tools: [streaming('Hel', 'lo')] });
    const peer = await enter();
    const { id } = await start(peer, 'streaming');
    await say(peer, id, 'go');
    const last = await seeEntry(peer, { type: 'RUN_FINISHED' });
    const { entries, end } = await replay(peer, id, 1);

    expect(entries.map(({ type }) => type)).toEqual([
      'TRANSACTION_START',
      'MESSAGE',
      'RUN_STARTED',
      'MESSAGE_END',
      'RUN_FINISHED',
    ]);
    expect(entries[1]).toMatchObject({ payload: 'go', session: peer.session });
    expect(entries[3]?.payload.text).toBe('Hello');
    expect(end).toMatchObject({ type: 'INFO', seq: '0', transaction: id });
    expect(end.payload).toEqual({ kind: 'replayed', first: '1', to: last.seq });
  });

  test('F45: any range gives exactly its entries, as a list would', async () => {
    const { enter, clock } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    for (let n = 0; n < 10; n++) await say(peer, id, `${n}`);
    await clock.settle();
    const last = 21;
    const bound = fc.integer({ min: 0, max: last + 5 });
    await fc.assert(
      fc.asyncProperty(bound, fc.option(bound, { nil: undefined }), async (from, to) => {
        const page = await replay(peer, id, from, to);
        const wanted = times(last, (n) => n + 1).filter((n) => n >= from && n <= (to ?? last));
        expect(positions(page)).toEqual(wanted);
        expect(page.end.payload.next).toBeUndefined();
        if (wanted.length > 0) expect(page.end.payload.to).toBe(String(wanted.at(-1)));
      }),
      { numRuns: 60 },
    );
  });

  test.each(['9007199254740993', '18446744073709551615'])('F45: from %s, beyond every log, is empty', async (from) => {
    const { enter } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    for (const to of [undefined, from, 1]) {
      const { entries, end } = await replay(peer, id, from, to);
      expect([entries, end.payload]).toEqual([[], { kind: 'replayed', first: '1', to: '1' }]);
    }
    expect(positions(await replay(peer, id, 1, from))).toEqual([1]);
  });

  test.each([
    [2, 1],
    [50, 49],
  ])('F45: from %i, behind the last entry, reaches to one before it: %i', async (from, to) => {
    const { enter } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    for (const asked of [undefined, from, 1]) {
      const { entries, end } = await replay(peer, id, from, asked);
      expect([entries, end.payload]).toEqual([[], { kind: 'replayed', first: '1', to: String(to) }]);
    }
  });

  test('A33: has at most 200 entries a page, and next says where to ask on [REPLAY-2]', async () => {
    const { enter, clock } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    for (let n = 0; n < 250; n++) await say(peer, id, `${n}`);
    await clock.settle();
    const seen: number[] = [];
    const sizes: number[] = [];
    let next: string | undefined = '1';
    while (next !== undefined) {
      const page: Page = await replay(peer, id, next);
      seen.push(...positions(page));
      sizes.push(page.entries.length);
      next = page.end.payload.next;
    }

    expect(sizes).toEqual([200, 200, 101]);
    expect(seen).toEqual(times(501, (n) => n + 1));
  });

  test('A33: ends a page with the entry that reaches 512 KiB', async () => {
    const { enter, clock } = testServer({ tools: [{ name: 'mute' }] });
    const peer = await enter();
    const { id } = await start(peer, 'mute');
    for (let n = 0; n < 10; n++) await say(peer, id, 'x'.repeat(200 * 1024));
    await clock.settle();
    const page = await replay(peer, id, 1);

    expect(positions(page)).toEqual([1, 2, 3, 4]);
    expect(page.end.payload.next).toBe('5');
  });

  test('[REPLAY-3] that begins before the window is REPLAY_TOO_OLD and names the first', async () => {
    const { enter, clock, history } = testServer({ history: { windowSize: 10 } });
    const peer = await enter();
    const { id } = await start(peer);
    for (let n = 0; n < 20; n++) await say(peer, id, `${n}`);
    await clock.settle();
    const first = (await history.head(id))?.first ?? 0;
    const { entries, end } = await replay(peer, id, first - 1);

    expect(entries).toEqual([]);
    expect(end.payload).toMatchObject({ code: 'REPLAY_TOO_OLD', retry: false, expected: `from_seq ${first} or later` });
    expect(positions(await replay(peer, id, first))[0]).toBe(first);
  });

  test('F47: a trim between two pages shows: the next one is REPLAY_TOO_OLD', async () => {
    const { enter, clock } = testServer({ history: { windowSize: 20 }, limits: { maxReplayEntries: 5 } });
    const peer = await enter();
    const { id } = await start(peer);
    for (let n = 0; n < 15; n++) await say(peer, id, `${n}`);
    await clock.settle();
    const { end } = await replay(peer, id, 15);
    for (let n = 0; n < 15; n++) await say(peer, id, `more ${n}`);
    await clock.settle();

    expect((await replay(peer, id, end.payload.next)).end.payload).toMatchObject({ code: 'REPLAY_TOO_OLD' });
  });

  test('[REPLAY-4] ends at what the live reader was sent, and moves nothing', async () => {
    const { enter, clock } = testServer();
    const ada = await enter('ada');
    const { id } = await start(ada);
    const slow = await enter('eve', {}, { highWaterBytes: 1_000 });
    await join(slow, id);
    slow.link.stall('down');
    for (let n = 0; n < 50; n++) await say(ada, id, `${n}`);
    await clock.settle();
    const request = slow.send({ type: 'REPLAY_REQUEST', transaction: id, payload: { from_seq: '1' } });
    await clock.settle();
    slow.link.resume('down');
    const end = await answerTo(slow, request);
    await see(slow, ({ seq }) => seq === '102');
    const at = slow.received.indexOf(end);
    const live = slow.received.filter(({ seq }, n) => seq !== '0' && (n > at || !isReplayed(slow, n)));

    expect(Number(end.payload.to)).toBeLessThan(102);
    expect(live.map(({ seq }) => Number(seq))).toEqual(times(102, (n) => n + 1));
  });

  test('[REPLAY-5] is one at a time in a transaction; another is answered after it', async () => {
    const { enter } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    const other = await start(peer);
    const request = { type: 'REPLAY_REQUEST', payload: { from_seq: '1' } };
    const [first, second] = [peer.send({ ...request, transaction: id }), peer.send({ ...request, transaction: id })];
    const elsewhere = peer.send({ ...request, transaction: other.id });

    for (const request of [first, second, elsewhere]) {
      expect((await answerTo(peer, request)).payload.kind).toBe('replayed');
    }
    const ends = peer.received.filter(({ payload }) => payload.kind === 'replayed').map(({ related_id }) => related_id);
    expect(ends.indexOf(first.id)).toBeLessThan(ends.indexOf(second.id));
  });

  test('F25: of a store that fails is OVERLOADED, and comes when asked again', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { enter } = testServer({ clock, history });
    const peer = await enter();
    const { id } = await start(peer);
    history.failNext('read');
    expect((await replay(peer, id, 1)).end.payload).toMatchObject({ code: 'OVERLOADED', retry: true });

    expect(positions(await replay(peer, id, 1))).toEqual([1]);
  });
});

/** Whether the envelope at that place came in answer to a replay: a position for the second time, before its end. */
function isReplayed(peer: LinkedPeer, place: number): boolean {
  const { seq } = peer.received[place] as RawEnvelope;
  return peer.received.slice(0, place).some((earlier) => earlier.seq === seq);
}

describe('who may replay', () => {
  function server() {
    const strangers = createPermissionMap({ MESSAGE: ['*'], REPLAY_REQUEST: ['*'] });
    return testServer({
      authenticate: ({ user }) => userOf(user, user === 'stranger' ? { permissions: strangers } : {}),
    });
  }

  test.each(['open', 'left', 'ended'])(
    'A58: whoever may read it live may replay it, also when it is %s [REPLAY-6]',
    async (state) => {
      const { enter } = server();
      const [ada, eve, stranger] = [await enter('ada'), await enter('eve'), await enter('stranger')];
      const { id } = await start(ada);
      await say(ada, id, 'a secret');
      if (state === 'left') {
        await join(eve, id);
        for (const peer of [ada, eve]) await settled(peer, peer.send({ type: 'TRANSACTION_LEAVE', transaction: id }));
      }
      if (state === 'ended') await settled(ada, ada.send({ type: 'TRANSACTION_END', transaction: id }));
      for (const peer of [ada, eve]) {
        expect((await replay(peer, id, 1)).entries.map(({ payload }) => payload)).toContain('a secret');
      }
      const refused = await replay(stranger, id, 1);
      const unknown = await replay(stranger, 'nowhere', 1);

      expect(refused.end.payload).toMatchObject({ code: 'TRANSACTION_NOT_FOUND' });
      expect(refused.end.payload).toEqual(unknown.end.payload);
      expect(entriesOf(stranger)).toEqual([]);
    },
  );
});

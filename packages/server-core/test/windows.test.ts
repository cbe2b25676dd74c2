// Windows from the server to a client: what may go, what waits, and what wakes it.

import { type Envelope, encode } from '@haip/protocol';
import { settle } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answerTo,
  codeOf,
  coverage,
  entriesOf,
  errorsOf,
  expectContiguous,
  isPosition,
  isReceipt,
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
import { mute } from './tools.ts';

const roomy = 1_000_000;

/** A HAI that offers windows of this size. */
function windows(messages: number, bytes = roomy) {
  const flow_control = { initial_credit_messages: messages, initial_credit_bytes: bytes };
  return { capabilities: { binary_frames: true, transaction_log: true, flow_control } };
}

function grant(peer: LinkedPeer, transaction: string | null, payload: Record<string, string | number>): Envelope {
  return peer.send({ type: 'FLOW_UPDATE', channel: 'SYSTEM', transaction, payload });
}

function turn(peer: LinkedPeer, type: 'PAUSE_CHANNEL' | 'RESUME_CHANNEL', transaction: string | null, channel: string) {
  return peer.send({ type, channel: 'SYSTEM', transaction, payload: { channel } });
}

/** What a peer was sent on USER of a transaction. */
function said(peer: LinkedPeer, transaction: string) {
  return entriesOf(peer)
    .filter((entry) => entry.transaction === transaction && entry.channel === 'USER')
    .map(({ payload }) => payload);
}

/** As the window counts it. */
function sizeOf({ bytes, ...envelope }: Envelope & { readonly bytes?: Uint8Array | undefined }): number {
  return new TextEncoder().encode(encode(envelope)).length + (bytes?.length ?? 0);
}

/** A conversation that ada leads and eve reads, with windows. */
async function reading(hai: Record<string, unknown>, options: Parameters<typeof testServer>[0] = {}) {
  const server = testServer({ tools: [mute], ...options });
  const ada = await server.enter('ada');
  const { id, epoch } = await start(ada, 'mute');
  const eve = await server.enter('eve', hai);
  return { ...server, ada, eve, id, epoch };
}

describe('the window of a channel', () => {
  test('[FLOW-1] lets so many messages go and not one more; FLOW_UPDATE adds to it', async () => {
    const { ada, eve, id } = await reading(windows(3));
    await join(eve, id);
    for (const text of ['1', '2', '3', '4', '5', '6']) await say(ada, id, text);
    await settle();
    expect(said(eve, id)).toEqual(['1', '2', '3']);
    await settled(eve, grant(eve, id, { channel: 'USER', add_messages: 1 }));
    expect(said(eve, id)).toEqual(['1', '2', '3', '4']);
    await settled(eve, grant(eve, id, { channel: 'AGENT', add_messages: 9 }));
    expect(said(eve, id)).toEqual(['1', '2', '3', '4']);
    await settled(eve, grant(eve, id, { add_messages: 1 }));
    expect(said(eve, id)).toEqual(['1', '2', '3', '4', '5']);
    grant(eve, null, { add_messages: 1 });
    await seeEntry(eve, { payload: '6' });
    expectContiguous(eve, id, 0);
  });

  test.each([
    ['raw bytes beside the text', true],
    ['base64 inside it', false],
  ])('[FLOW-1] counts bytes as they are sent: UTF-8 text and %s', async (_, binary) => {
    const server = testServer({ tools: [mute] });
    const ada = await server.enter('ada');
    const { id, epoch } = await start(ada, 'mute');
    await say(ada, id, 'Zoë in 東京 👩‍👩‍👧');
    ada.send({ type: 'AUDIO', transaction: id, payload: { message_id: 'a' } }, new Uint8Array(1_000));
    const last = await say(ada, id, 'after');
    const free = await server.enter('eve', {}, { binary });
    await join(free, id);
    await seeEntry(free, { payload: 'after' });
    const [text, audio] = entriesOf(free).filter(({ channel }) => channel === 'USER');
    const bytes = sizeOf(text as Envelope) + sizeOf(audio as Envelope);
    expect(audio?.bytes?.length).toBe(binary ? 1_000 : undefined);
    for (const [more, count] of [
      [0, 2],
      [1, 3],
    ] as const) {
      const eve = await server.enter('eve', windows(100, bytes + more), { binary });
      await join(eve, id, { epoch, seq: '1' });
      await settle();
      expect(said(eve, id)).toHaveLength(count);
      grant(eve, id, { channel: 'USER', add_bytes: 1 });
      await see(eve, ({ seq }) => seq === String(last));
    }
  });

  test('[FLOW-3] makes what is behind an entry wait with it, and nothing in another transaction', async () => {
    const { ada, eve, id, enter } = await reading(windows(1));
    const other = await start(ada, 'mute');
    const talk = await start(ada, 'echo');
    for (const transaction of [id, other.id, talk.id]) await join(eve, transaction);
    for (const text of ['a', 'b']) await say(ada, talk.id, text);
    for (const text of ['c', 'd']) await say(ada, id, text);
    await say(ada, other.id, 'e');
    await settle();
    const order = entriesOf(await readAll(enter, talk.id)).map(({ channel, payload }) => [channel, payload]);

    // What the agent answers to the second one has a window and waits all the same.
    expect(order.at(-1)).toEqual(['AGENT', 'b']);
    const texts = entriesOf(eve).filter(({ type }) => type === 'MESSAGE');
    expect(texts.map(({ channel, payload }) => [channel, payload])).toEqual([
      ['USER', 'a'],
      ['AGENT', 'a'],
      ['USER', 'c'],
      ['USER', 'e'],
    ]);
    grant(eve, talk.id, { add_messages: 1 });
    await seeEntry(eve, { payload: 'b' });
    await settle();
    expect(entriesOf(eve).filter(({ payload }) => payload === 'b')).toHaveLength(2);
    expect(said(eve, id)).toEqual(['c']);
    expectContiguous(eve, talk.id, 0);
  });

  test('[FLOW-1] that is paused sends none until it is resumed, whatever its window', async () => {
    const { ada, eve, id } = await reading(windows(10));
    await join(eve, id);
    await say(ada, id, 'before');
    await settled(eve, turn(eve, 'PAUSE_CHANNEL', id, 'USER'));
    for (const text of ['a', 'b']) await say(ada, id, text);
    await settled(eve, grant(eve, id, { add_messages: 5 }));
    await settled(eve, turn(eve, 'RESUME_CHANNEL', id, 'AGENT'));
    expect(said(eve, id)).toEqual(['before']);
    turn(eve, 'RESUME_CHANNEL', id, 'USER');
    await seeEntry(eve, { payload: 'b' });

    expect(said(eve, id)).toEqual(['before', 'a', 'b']);
    expectContiguous(eve, id, 0);
  });

  test('[FLOW-1] paused or given more for each transaction is so in those joined later, too', async () => {
    const { ada, eve, id } = await reading(windows(3));
    turn(eve, 'PAUSE_CHANNEL', null, 'USER');
    await settled(eve, grant(eve, null, { add_messages: 2 }));
    await join(eve, id);
    for (const n of times(6, String)) await say(ada, id, n);
    await settle();
    expect(said(eve, id)).toEqual([]);
    await settled(eve, turn(eve, 'RESUME_CHANNEL', null, 'USER'));

    expect(said(eve, id)).toEqual(['0', '1', '2', '3', '4']);
  });

  test('F53: is whole again on a new connection [FLOW-4], and for who left and joined again', async () => {
    const { ada, eve, id, epoch, enter } = await reading(windows(3));
    await join(eve, id);
    for (const n of times(4, String)) await say(ada, id, n);
    await settle();
    expect(said(eve, id)).toEqual(['0', '1', '2']);
    eve.link.cut();
    const back = await enter('eve', { ...windows(3), resume: [{ transaction: id, epoch, seq: '2' }] });
    await seeEntry(back, { payload: '2' });
    await settle();
    expect(said(back, id)).toEqual(['0', '1', '2']);
    await settled(back, back.send({ type: 'TRANSACTION_LEAVE', transaction: id }));
    await join(back, id, { epoch, seq: '3' });
    await seeEntry(back, { payload: '3' });

    expect(said(back, id)).toEqual(['0', '1', '2', '1', '2', '3']);
  });

  test('[FLOW-4] is whole again for who leaves and joins in one breath', async () => {
    const { ada, eve, id, epoch } = await reading(windows(3));
    await join(eve, id);
    for (const n of times(4, String)) await say(ada, id, n);
    await settle();
    eve.send({ type: 'TRANSACTION_LEAVE', transaction: id });
    await join(eve, id, { epoch, seq: '3' });
    await seeEntry(eve, { payload: '3' });

    expect(said(eve, id)).toEqual(['0', '1', '2', '1', '2', '3']);
  });

  test('[FLOW-4] is not larger for what was granted between leaving and joining again', async () => {
    const { ada, eve, id, epoch } = await reading(windows(3));
    await join(eve, id);
    for (const n of times(9, String)) await say(ada, id, n);
    await settle();
    eve.send({ type: 'TRANSACTION_LEAVE', transaction: id });
    await settled(eve, eve.send({ type: 'MESSAGE', transaction: id, payload: 'not gone yet' }));
    await settled(eve, grant(eve, id, { channel: 'USER', add_messages: 3 }));
    await join(eve, id, { epoch, seq: '3' });
    await settle();

    expect(said(eve, id)).toEqual(['0', '1', '2', '1', '2', '3']);
  });

  test('[FLOW-4] is whole again for who may read again and joins', async () => {
    let permissions: Record<string, string[]> = { MESSAGE: ['*'], TRANSACTION_JOIN: ['*'] };
    const { ada, eve, id, epoch } = await reading(windows(3), {
      authenticate: (auth) => userOf(String(auth?.user), auth?.user === 'eve' ? { permissions } : {}),
    });
    await join(eve, id);
    for (const n of times(4, String)) await say(ada, id, n);
    await settle();
    const rights = permissions;
    permissions = {};
    const refresh = () => answerTo(eve, eve.send({ type: 'HAI', payload: { auth: { user: 'eve' } } }));
    await refresh();
    expect(eve.received.some(({ payload }) => payload.verdict === 'refused')).toBe(true);
    permissions = rights;
    await refresh();
    await join(eve, id, { epoch, seq: '3' });
    await seeEntry(eve, { payload: '3' });

    expect(said(eve, id)).toEqual(['0', '1', '2', '1', '2', '3']);
  });

  test('[FLOW-1] is a thing of the log: towards a plain v1 client there is none, and nothing is promised to it', async () => {
    const { enter } = testServer();
    const flow_control = { initial_credit_messages: 1 };
    const old = await enter('ada', { capabilities: { flow_control } });
    const [hai] = old.received;
    const { id } = await (async () => {
      const sent = old.send({ type: 'TRANSACTION_START', transaction: 'r', payload: { toolName: 'echo', params: {} } });
      return { id: (await answerTo(old, sent)).transaction as string };
    })();
    for (const n of times(4, String)) old.send({ type: 'MESSAGE', transaction: id, payload: n });
    await seeEntry(old, { payload: '3' });

    expect(hai?.payload.capabilities).not.toHaveProperty('flow_control');
    expect(old.received.filter(({ type }) => type === 'FLOW_UPDATE')).toEqual([]);
  });

  test('[FLOW-1] does not exist for who offers none, whatever they say of it', async () => {
    const { ada, eve, id } = await reading({}, { limits: { windowMessages: 2 } });
    await join(eve, id);
    await settled(eve, turn(eve, 'PAUSE_CHANNEL', id, 'USER'));
    for (const n of times(5, String)) await say(ada, id, n);
    await seeEntry(eve, { payload: '4' });

    expect(errorsOf(ada)).toEqual([]);
    expect([...ada.received, ...eve.received].filter(({ type }) => type === 'FLOW_UPDATE')).toEqual([]);
  });

  test('A32: beyond 64 named channels a peer is told that these are too many', async () => {
    const { eve, id } = await reading(windows(10));
    await join(eve, id);
    // SYSTEM, on which its first entries came, is named by them.
    const named = times(64, (n) => grant(eve, id, { channel: `c${n}`, add_messages: 1 }));
    await settled(eve, named.at(-1) as Envelope);

    expect(errorsOf(eve)).toEqual(['PROTOCOL_VIOLATION']);
    expect(await codeOf(eve, named.at(-1) as Envelope)).toBe('PROTOCOL_VIOLATION');
    const later = grant(eve, id, { channel: 'c0', add_messages: 1 });
    await settled(eve, later);
    expect(errorsOf(eve)).toHaveLength(1);
  });

  test('[FLOW-1] is no matter of a transaction that the connection is not in', async () => {
    const { eve, id } = await reading(windows(10));
    const sent = [grant(eve, id, { add_messages: 1 }), turn(eve, 'PAUSE_CHANNEL', 'nowhere', 'USER')];
    await settled(eve, sent.at(-1) as Envelope);

    expect(errorsOf(eve)).toEqual([]);
  });
});

describe('what is no entry', () => {
  test('[FLOW-2] needs no window: answers, receipts, verdicts, notices, pages of replay', async () => {
    const { eve, ada, id, enter } = await reading({
      ...windows(0),
      accept_events: ['MESSAGE', 'TRANSACTION_START'],
    });
    await join(await enter('bob'), id);
    expect((await join(eve, id)).payload).toMatchObject({ verdict: 'resumed' });
    expect((await answerTo(eve, eve.send({ type: 'PING' }))).type).toBe('PONG');
    await settled(eve, grant(eve, id, { channel: 'SYSTEM', add_messages: 1 }));
    // The START came; bob's JOIN is not wanted, and its notice needs no window.
    await see(eve, (envelope) => isPosition(envelope) && envelope.seq === '2');
    const sent = eve.send({ type: 'MESSAGE', transaction: id, payload: 'mine' });
    expect(isReceipt(await answerTo(eve, sent))).toBe(true);
    await say(ada, id, 'yours');
    const asked = eve.send({ type: 'REPLAY_REQUEST', transaction: id, payload: { from_seq: '1' } });
    expect((await answerTo(eve, asked)).payload).toMatchObject({ kind: 'replayed', to: '4' });

    // The page has the own message, too; the live reader still waits with the other one.
    expect(said(eve, id)).toEqual(['mine']);
    grant(eve, id, { add_messages: 1 });
    await seeEntry(eve, { payload: 'yours' });
  });

  test("[FLOW-2, READ-5] an author's own END needs one when it brings the text, and then comes once", async () => {
    const { enter } = testServer({ tools: [mute] });
    const [ada, bob] = [await enter('ada', windows(0)), await enter('bob')];
    const asked = { type: 'TRANSACTION_START', transaction: 'r', payload: { toolName: 'mute', params: {} } };
    const id = (await answerTo(ada, ada.send(asked))).transaction as string;
    await settled(ada, grant(ada, id, { channel: 'SYSTEM', add_messages: 9 }));
    await settled(bob, bob.send({ type: 'MESSAGE', transaction: id, payload: 'x' }));
    // That one waits for its window. Meanwhile ada's own message ends, and goes so far back that only the store has it.
    ada.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'w' } });
    ada.send({ type: 'MESSAGE_PART', transaction: id, payload: { message_id: 'w', text: 'spoken' } });
    const end = ada.send({ type: 'MESSAGE_END', transaction: id, payload: { message_id: 'w' } });
    for (const n of times(600, String)) ada.send({ type: 'MESSAGE', transaction: id, payload: n });
    await settled(ada, end);
    await settle();
    expect(coverage(ada, id)).toEqual([[1, 1]]);
    await settled(ada, grant(ada, id, { channel: 'USER', add_messages: 1 }));
    await seeEntry(ada, { payload: 'x' });
    await settle();
    expect(coverage(ada, id).at(-1)).toEqual([2, 2]);
    grant(ada, id, { add_messages: 1 });
    const long = await seeEntry(ada, { type: 'MESSAGE_END' });
    await settle();

    expect(long).toMatchObject({ id: end.id, payload: { text: 'spoken' } });
    expect(ada.received.filter(({ related_id }) => related_id === end.id)).toEqual([]);
    expectContiguous(ada, id, 0);
  });

  test('F44: a reader whose next entry was trimmed while its window was shut is told of the gap [JOIN-7]', async () => {
    const { ada, eve, id } = await reading(windows(1), { history: { windowSize: 4 } });
    await join(eve, id);
    for (const n of times(20, String)) await say(ada, id, n);
    const gap = await see(eve, ({ payload }) => payload.verdict === 'gap');
    await settle();
    expect(said(eve, id)).toEqual(['0']);
    grant(eve, id, { add_messages: 4 });
    await seeEntry(eve, { payload: '19' });

    expect(Number(gap.payload.first)).toBeGreaterThan(4);
  });
});

async function readAll(enter: ReturnType<typeof testServer>['enter'], id: string): Promise<LinkedPeer> {
  const reader = await enter('reader');
  await join(reader, id);
  await settle();
  return reader;
}

describe('I15 and F52: whatever a receiver grants, and in which steps', () => {
  const anyGrant = fc.record({
    to: fc.constantFrom(0, 1, null),
    channel: fc.constantFrom('USER', 'AGENT', 'SYSTEM', undefined),
    messages: fc.integer({ min: 0, max: 3 }),
    bytes: fc.constantFrom(0, 100, 1_000),
  });
  const anyText = fc.record({ to: fc.constantFrom(0, 1), text: fc.string({ maxLength: 300 }) });
  const anyStep = fc.oneof(
    fc.record({ grant: anyGrant }),
    fc.record({ say: anyText }),
    fc.record({ say: anyText }),
    fc.record({ pause: fc.boolean(), to: fc.constantFrom(0, 1, null), channel: fc.constantFrom('USER', 'AGENT') }),
  );
  const initial = fc.record({ messages: fc.nat(4), bytes: fc.nat(2_000) });

  test('[FLOW-1, FLOW-3] nothing goes without a window, nothing is lost, and all of it drains', async () => {
    await fc.assert(
      fc.asyncProperty(initial, fc.array(anyStep, { maxLength: 40 }), async ({ messages, bytes }, steps) => {
        const server = testServer();
        const ada = await server.enter('ada');
        const eve = await server.enter('eve', windows(messages, bytes));
        const ids = [(await start(ada)).id, (await start(ada)).id];
        for (const id of ids) await join(eve, id);
        const model = new WindowModel(ids, messages, bytes);
        for (const step of steps) {
          if ('say' in step) await say(ada, ids[step.say.to] as string, step.say.text);
          else if ('pause' in step) {
            const to = step.to === null ? null : (ids[step.to] as string);
            await settled(eve, turn(eve, step.pause ? 'PAUSE_CHANNEL' : 'RESUME_CHANNEL', to, step.channel));
            model.pause(to, step.channel, step.pause);
          } else {
            const { channel, messages: add_messages, bytes: add_bytes } = step.grant;
            const to = step.grant.to === null ? null : (ids[step.grant.to] as string);
            // Counted before it can have any effect.
            model.grant(to, channel, add_messages, add_bytes);
            const payload = { add_messages, add_bytes, ...(channel === undefined ? {} : { channel }) };
            await settled(eve, grant(eve, to, payload));
          }
          await settle();
          model.take(entriesOf(eve));
        }
        for (const channel of ['USER', 'AGENT']) turn(eve, 'RESUME_CHANNEL', null, channel);
        await settled(eve, grant(eve, null, { add_messages: roomy, add_bytes: roomy }));
        await settle();
        for (const id of ids) {
          const head = await server.history.head(id);
          expect(coverage(eve, id).at(-1)?.[1]).toBe(head?.last);
          expectContiguous(eve, id, 0);
        }
        await server.server.close();
      }),
      { numRuns: 60 },
    );
  });
});

/** Windows as a receiver keeps them: fails when an entry came that had none. */
class WindowModel {
  readonly #windows = new Map<string, { messages: number; bytes: number; paused: boolean }>();
  #taken = 0;

  constructor(ids: readonly string[], messages: number, bytes: number) {
    for (const id of ids) {
      for (const channel of ['USER', 'AGENT', 'SYSTEM']) {
        this.#windows.set(`${id} ${channel}`, { messages, bytes, paused: false });
      }
    }
  }

  grant(id: string | null, channel: string | undefined, messages: number, bytes: number): void {
    for (const window of this.#each(id, channel)) {
      window.messages += messages;
      window.bytes += bytes;
    }
  }

  pause(id: string | null, channel: string, paused: boolean): void {
    for (const window of this.#each(id, channel)) window.paused = paused;
  }

  take(entries: readonly (Envelope & { readonly bytes?: Uint8Array | undefined })[]): void {
    for (const entry of entries.slice(this.#taken)) {
      const [window] = this.#each(entry.transaction, entry.channel);
      if (window === undefined) throw new Error('an entry of no window');
      expect(window.messages > 0 && window.bytes > 0 && !window.paused).toBe(true);
      window.messages--;
      window.bytes -= sizeOf(entry);
    }
    this.#taken = entries.length;
  }

  #each(id: string | null, channel: string | undefined) {
    return [...this.#windows].flatMap(([key, window]) => {
      const [transaction, name] = key.split(' ');
      return (id ?? transaction) === transaction && (channel ?? name) === name ? [window] : [];
    });
  }
}

// Windows from a client to the server: what it may send, what it gets back, and what is said beyond them.

import { type Envelope, encode } from '@haip/protocol';
import { fakeClock, settle } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import type { ServerLimits } from '../src/index.ts';
import { type HeldStore, heldStore, testHistory } from './stores.ts';
import {
  answerTo,
  codeOf,
  errorsOf,
  isReceipt,
  join,
  type LinkedPeer,
  say,
  see,
  settled,
  start,
  testServer,
  times,
  userOf,
} from './support.ts';
import { mute } from './tools.ts';

const flowing = { capabilities: { binary_frames: true, transaction_log: true, flow_control: {} } };

interface Talk {
  readonly ada: LinkedPeer;
  readonly id: string;
  readonly history: HeldStore;
  readonly test: ReturnType<typeof testServer>;
}

/** Ada in a transaction of her own, with windows, over a store that can be held. */
async function talking(limits: Partial<ServerLimits>, options: Parameters<typeof testServer>[0] = {}): Promise<Talk> {
  const clock = fakeClock();
  const history = heldStore(testHistory(clock));
  const server = testServer({ tools: [mute], clock, history, limits, ...options });
  const ada = await server.enter('ada', flowing);
  const { id } = await start(ada, 'mute');
  return { ada, id, history, test: server };
}

function send(peer: LinkedPeer, transaction: string, payload: string, fields: Partial<Envelope> = {}): Envelope {
  return peer.send({ type: 'MESSAGE', transaction, payload, ...fields });
}

/** What a peer was given of its windows, as channel, messages and bytes. */
function granted(peer: LinkedPeer, transaction: string) {
  return peer.received
    .filter((envelope) => envelope.type === 'FLOW_UPDATE' && envelope.transaction === transaction)
    .map(({ payload }) => [payload.channel, payload.add_messages, payload.add_bytes]);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0);

describe('what a client may send', () => {
  test('[FLOW-1] is said in HAI: 1,024 messages and 1 MiB, or what the limits say', async () => {
    const [usual, small] = [testServer(), testServer({ limits: { windowMessages: 5, windowBytes: 500 } })];
    const said = async ({ enter }: typeof usual) => (await enter()).received[0]?.payload.capabilities.flow_control;

    expect(await said(usual)).toEqual({ initial_credit_messages: 1_024, initial_credit_bytes: 1_048_576 });
    expect(await said(small)).toEqual({ initial_credit_messages: 5, initial_credit_bytes: 500 });
  });

  test('[FLOW-1] it gets back in steps of half a window, each message and byte once', async () => {
    const { ada, id } = await talking({ windowMessages: 10 });
    for (const n of times(99, String)) await say(ada, id, n);

    const grants = granted(ada, id);
    expect(grants).toHaveLength(19);
    for (const [channel, messages] of grants) expect([channel, messages]).toEqual(['USER', 5]);
    const sizes = ada.link.bytes.up;
    expect(sum(grants.map(([, , bytes]) => bytes))).toBeLessThan(sizes);
    expect(errorsOf(ada)).toEqual([]);
  });

  test('[FLOW-1] it gets back by bytes, too: those of the text as it was sent', async () => {
    const { ada, id } = await talking({ windowBytes: 4_000 });
    const before = ada.link.bytes.up;
    await say(ada, id, 'é'.repeat(900));
    const sent = ada.link.bytes.up - before;
    expect(sent).toBeGreaterThan(1_800);
    expect(granted(ada, id)).toEqual(sent >= 2_000 ? [['USER', 1, sent]] : []);
  });

  test('[FLOW-1] ends with its window while the store is slow: one past it is FLOW_CONTROL_VIOLATION', async () => {
    const { ada, id, history } = await talking({ windowMessages: 4 });
    const release = history.hold(id);
    // One is under way and off the queue; three more wait, and the window is spent.
    const sent = times(6, (n) => send(ada, id, `text ${n}`));
    await settle();
    expect([granted(ada, id), errorsOf(ada)]).toEqual([[], []]);
    release();
    await settled(ada, sent.at(-1) as Envelope);

    const codes = await Promise.all(sent.map((message) => codeOf(ada, message)));
    expect(codes).toEqual([...times(4, () => undefined), 'FLOW_CONTROL_VIOLATION', 'FLOW_CONTROL_VIOLATION']);
    expect((await answerTo(ada, sent[4] as Envelope)).payload).toMatchObject({ retry: true });
    // All six were counted, and all six are given back.
    expect(sum(granted(ada, id).map(([, messages]) => messages))).toBe(6);
    for (const n of [4, 5]) {
      const again = send(ada, id, `text ${n}`, { id: sent[n]?.id as string });
      await see(ada, (envelope) => isReceipt(envelope) && envelope.related_id === again.id);
    }
  });

  test('[FLOW-1] a last byte of the window lets one message more go, and no byte none', async () => {
    const sizeOf = (envelope: Envelope): number => Buffer.byteLength(encode(envelope));
    const codesWith = async (left: number) => {
      const { ada, id, history } = await talking({ windowBytes: 4_000 });
      const release = history.hold(id);
      // Under way and off the queue; small enough that nothing is given back for it.
      const first = send(ada, id, 'first');
      const second = { ...first, id: 'second', seq: String(Number(first.seq) + 1), payload: '' };
      const rest = 4_000 - left - sizeOf(first) - sizeOf(second);
      const filling = send(ada, id, 'é'.repeat(rest >> 1) + 'x'.repeat(rest & 1), { id: 'second' });
      const sent = [first, filling, ...times(2, (n) => send(ada, id, `text ${n}`))];
      await settle();
      release();
      await settled(ada, sent[3] as Envelope);
      return Promise.all(sent.map((message) => codeOf(ada, message)));
    };

    expect(await codesWith(1)).toEqual([undefined, undefined, undefined, 'FLOW_CONTROL_VIOLATION']);
    expect(await codesWith(0)).toEqual([undefined, undefined, 'FLOW_CONTROL_VIOLATION', 'FLOW_CONTROL_VIOLATION']);
  });

  test('[LOG-6] what was sent beyond the window holds back what its author sent after it', async () => {
    const { ada, id, history } = await talking({ windowMessages: 4 });
    const release = history.hold(id);
    const sent = times(5, (n) => send(ada, id, `text ${n}`));
    await settle();
    release();
    await settled(ada, sent[4] as Envelope);
    expect(await codeOf(ada, sent[4] as Envelope)).toBe('FLOW_CONTROL_VIOLATION');
    const later = send(ada, id, 'later');
    expect(await codeOf(ada, later)).toBe('FLOW_CONTROL_VIOLATION');
    send(ada, id, 'text 4', { id: sent[4]?.id as string });
    send(ada, id, 'later', { id: later.id });
    const { seq } = await see(ada, (envelope) => isReceipt(envelope) && envelope.related_id === later.id);

    expect(Number(seq)).toBe(7);
  });

  test('[LOG-8, FLOW-1] beyond the window: what is stored is settled, and who has no right is told so first', async () => {
    const authenticate = (auth: { user?: unknown } | undefined) =>
      userOf(String(auth?.user), { permissions: { MESSAGE: ['*'], TRANSACTION_JOIN: ['*'] } });
    const { ada, id, history } = await talking({ windowMessages: 10 }, { authenticate });
    const stored = send(ada, id, 'stored');
    await settled(ada, stored);
    const release = history.hold(id);
    for (const n of times(9, String)) send(ada, id, n);
    const again = send(ada, id, 'stored', { id: stored.id });
    const forbidden = ada.send({ type: 'AUDIO', transaction: id, payload: { message_id: 'a', data: 'AAAA' } });
    const beyond = send(ada, id, 'beyond');
    await settle();
    release();
    await settled(ada, beyond);

    expect(ada.received.filter(({ type, related_id }) => type === 'ERROR' && related_id === again.id)).toEqual([]);
    expect(await codeOf(ada, forbidden)).toBe('UNAUTHORIZED');
    expect(await codeOf(ada, beyond)).toBe('FLOW_CONTROL_VIOLATION');
  });

  test('[FLOW-2] cancel, end and replay pass a shut window and spend none', async () => {
    const { ada, id, history } = await talking({ windowMessages: 2 });
    const release = history.hold(id);
    for (const n of times(2, String)) send(ada, id, n);
    const passing = [
      ...times(3, () => ada.send({ type: 'RUN_CANCEL', transaction: id, payload: { run_id: 'r' } })),
      ...times(3, () => ada.send({ type: 'TOOL_CANCEL', transaction: id, payload: { call_id: 'c' } })),
      ada.send({ type: 'REPLAY_REQUEST', transaction: id, payload: { from_seq: '1' } }),
      ada.send({ type: 'TRANSACTION_END', transaction: id }),
    ];
    await settle();
    release();
    await settled(ada, passing.at(-1) as Envelope);
    await settle();

    expect(errorsOf(ada)).not.toContain('FLOW_CONTROL_VIOLATION');
    expect(isReceipt(await answerTo(ada, passing.at(-1) as Envelope))).toBe(true);
    expect(sum(granted(ada, id).map(([, messages]) => messages))).toBe(2);
  });

  test('[FLOW-3] in one transaction is not less for what waits in another', async () => {
    const { ada, id, history } = await talking({ windowMessages: 2 });
    const other = await start(ada, 'mute');
    const release = history.hold(id);
    for (const n of times(4, String)) send(ada, id, n);
    for (const n of times(10, String)) await say(ada, other.id, n);
    await settle();
    release();
    await see(ada, ({ type }) => type === 'ERROR');

    expect(ada.received.filter(({ type, transaction }) => type === 'ERROR' && transaction === other.id)).toEqual([]);
  });

  test('F53: is whole again on a new connection [FLOW-4]', async () => {
    const { ada, id, history, test: server } = await talking({ windowMessages: 2 });
    const release = history.hold(id);
    for (const n of times(2, String)) send(ada, id, n);
    await settle();
    ada.link.cut();
    const back = await server.enter('ada', flowing);
    const sent = times(2, (n) => send(back, id, `again ${n}`));
    release();
    await settled(back, sent[1] as Envelope);

    expect(errorsOf(back)).toEqual([]);
  });

  test('[FLOW-1] is not held against who offers no flow control', async () => {
    const { id, history, test: server } = await talking({ windowMessages: 1 });
    const bob = await server.enter('bob');
    await join(bob, id);
    const release = history.hold(id);
    const sent = times(5, (n) => send(bob, id, `text ${n}`));
    await settle();
    release();
    await settled(bob, sent.at(-1) as Envelope);

    expect([errorsOf(bob), granted(bob, id)]).toEqual([[], []]);
  });

  test('A32: costs nobody the connection while it is kept to, however slow the store; beyond it the queue has an end', async () => {
    const limits = { windowMessages: 20, maxQueuedMessages: 5 };
    const { ada, id, history } = await talking(limits);
    const ended: number[] = [];
    void ada.link.server.closed.then(({ code }) => ended.push(code));
    const release = history.hold(id);
    for (const n of times(20, String)) send(ada, id, n);
    await settle();
    expect(ended).toEqual([]);
    for (const n of times(6, String)) send(ada, id, `beyond ${n}`);
    await settle();
    release();

    expect(ended).toEqual([1013]);
  });
});

describe('what comes to nothing', () => {
  test('[FLOW-1] is given back all the same: misshapen, misplaced, on a channel that is not theirs', async () => {
    const { ada, id } = await talking({ windowMessages: 100 });
    const sent = [
      ada.send({ type: 'MESSAGE_PART', transaction: id, payload: 'no object' }),
      ada.send({ type: 'AUDIO', transaction: id, payload: { message_id: 'a' } }),
      send(ada, id, 'as the agent', { channel: 'AGENT' }),
      send(ada, 'nowhere', 'lost'),
    ];
    await settled(ada, sent.at(-1) as Envelope);
    expect(errorsOf(ada)).toHaveLength(4);
    expect(granted(ada, id).map(([channel, messages]) => [channel, messages])).toEqual([
      ['USER', 1],
      ['USER', 1],
      ['AGENT', 1],
    ]);
    expect(granted(ada, 'nowhere')).toEqual([['USER', 1, expect.any(Number)]]);
  });

  test('[FLOW-1] is given back although it is the first that was ever sent', async () => {
    const { id, test: server } = await talking({});
    const ada = await server.enter('ada', flowing);
    ada.send({ type: 'MESSAGE_PART', transaction: id, payload: 'no object' });
    await see(ada, ({ type }) => type === 'ERROR');

    expect(granted(ada, id).map(([channel, messages]) => [channel, messages])).toEqual([['USER', 1]]);
  });

  test('[FLOW-1] is given back when there is no room for one more transaction', async () => {
    const { ada, id, test: server } = await talking({ maxJoined: 1 });
    const other = await server.enter('ada', flowing);
    const second = await start(other, 'mute');
    const sent = send(ada, second.id, 'too much');
    expect(await codeOf(ada, sent)).toBe('RUN_LIMIT_EXCEEDED');

    expect(granted(ada, second.id)).toEqual([['USER', 1, expect.any(Number)]]);
    expect(granted(ada, id)).toEqual([]);
  });

  test('[FLOW-1] a request about tools is no message in a transaction: no window counts it', async () => {
    const { ada, id } = await talking({ windowMessages: 1 });
    await settled(ada, ada.send({ type: 'TOOL_LIST', transaction: id }));
    ada.send({ type: 'TOOL_SCHEMA', transaction: id, payload: { tool: 5 } });
    await see(ada, ({ type }) => type === 'ERROR');

    expect(granted(ada, id)).toEqual([]);
  });

  test('[FLOW-1] a transaction that is left gives back what was used of its windows', async () => {
    const { ada, id } = await talking({ windowMessages: 10 });
    for (const n of times(7, String)) await say(ada, id, n);
    await settled(ada, ada.send({ type: 'TRANSACTION_LEAVE', transaction: id }));
    await join(ada, id);

    expect(granted(ada, id).map(([, messages]) => messages)).toEqual([5, 2]);
  });
});

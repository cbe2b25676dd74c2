import type { RawEnvelope } from '@haip/testing';
import { describe, expect, it } from 'vitest';
import { type HAIPClient, type Transaction, UnknownOutcomeError } from '../src/index.ts';
import { type ServerPeer, setUp } from './scripted-server.ts';

const texts = (envelopes: readonly { type: string; payload: unknown }[]): unknown[] =>
  envelopes.filter(({ type }) => type === 'MESSAGE').map(({ payload }) => payload);

/** Joins a second transaction on the same connection. */
async function joinBeside(client: HAIPClient, peer: ServerPeer): Promise<Transaction> {
  const joining = client.joinTransaction('U');
  const join = await peer.until('TRANSACTION_JOIN');
  peer.verdict({ verdict: 'resumed', epoch: 'E', seq: '0', last: '0' }, { transaction: 'U', related_id: join.id });
  return joining;
}

describe('what settles a message', () => {
  it('an ack does, without a receipt: the position stays unknown [ACK-5]', async () => {
    const { started } = setUp();
    const { peer, chat } = await started();
    const sending = [chat.sendText('1'), chat.sendText('2'), chat.sendText('3')];
    await peer.until(({ payload }) => payload === '3');
    peer.ack(4);
    expect(await sending[0]).toEqual({ id: peer.received[2]?.id });
    await sending[1];
    expect(chat.pending.map(({ payload }) => payload)).toEqual(['1', '2', '3']);
    let done = false;
    void sending[2]?.then(() => {
      done = true;
    });
    await undefined;
    expect(done).toBe(false);
    peer.ack(5);
    await sending[2];
  });

  it('a receipt alone tells the position but does not empty the outbox: it is sent again after a cut [ACK-5] [ACK-8]', async () => {
    const { started, transport, reconnected } = setUp();
    const { peer, chat } = await started();
    const sending = chat.sendText('Hello');
    const sent = await peer.until('MESSAGE');
    peer.send({ type: 'INFO', transaction: 'T', seq: '2', related_id: sent.id, payload: { kind: 'receipt' } });
    expect(await sending).toEqual({ id: sent.id, position: 2 });
    expect(chat.pending).toEqual([]);
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    expect((await again.until('MESSAGE')).id).toBe(sent.id);
    expect(chat.conversation.messages).toHaveLength(1);
  });

  it('no ack from the link, an answer or another connection does [ACK-5]', async () => {
    const { started, transport, reconnected, clock } = setUp();
    const { peer, chat } = await started();
    let settled = false;
    void chat.sendText('Hello').then(() => {
      settled = true;
    });
    await peer.until('MESSAGE');
    peer.entry(2);
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    again.verdict({ verdict: 'resumed', epoch: 'E', seq: '2', last: '2' });
    again.ack(1);
    await clock.settle();
    expect(settled).toBe(false);
  });
});

describe('after a reconnect', () => {
  it('F3: what is not settled goes first, same ids, new numbers, in the order it was sent [ACK-8] [LOG-6]', async () => {
    const { started, transport, reconnected, clock } = setUp();
    const { peer, chat } = await started();
    const sending = ['1', '2', '3'].map((text) => chat.sendText(text));
    await peer.until(({ payload }) => payload === '3');
    peer.ack(3);
    await sending[0];
    transport.last.cut();
    sending.push(chat.sendText('4'));
    const again = await reconnected();
    await again.welcome();
    sending.push(chat.sendText('5'));
    await again.until(({ payload }) => payload === '5');
    const before = peer.received.filter(({ type }) => type === 'MESSAGE');
    const after = again.received.filter(({ type }) => type === 'MESSAGE');
    expect(texts(after)).toEqual(['2', '3', '4', '5']);
    expect(after.map(({ seq }) => seq)).toEqual(['2', '3', '4', '5']);
    expect(after.slice(0, 2).map(({ id }) => id)).toEqual(before.slice(1).map(({ id }) => id));
    again.ack(5);
    await Promise.all(sending);
    await clock.settle();
  });

  it('the retry of a message that was stored comes back as an entry, is shown once and settled by its ack', async () => {
    const { started, transport, reconnected, clock } = setUp();
    const { peer, chat } = await started();
    const sending = chat.sendText('Hello');
    const sent = await peer.until('MESSAGE');
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    again.verdict({ verdict: 'resumed', epoch: 'E', seq: '1', last: '2' });
    again.entry(2, { id: sent.id, session: 'me', channel: 'USER', payload: 'Hello' });
    expect(await sending).toEqual({ id: sent.id, position: 2 });
    again.ack(2);
    await clock.settle();
    expect(chat.conversation.messages.map(({ text }) => text)).toEqual(['Hello']);
    expect(chat.pending).toEqual([]);
  });

  it('what was first written longer ago than retry_within_ms is given back as unknown, never resent [ACK-9]', async () => {
    const { client, clock, transport, started, reconnected } = setUp();
    const { peer, chat } = await started();
    const old = chat.sendText('old');
    await peer.until('MESSAGE');
    transport.refuse();
    transport.last.cut();
    await clock.settle();
    const unwritten = chat.sendText('never written');
    const failing = expect(old).rejects.toMatchObject({ name: 'UnknownOutcomeError', code: 'unknown_outcome' });
    await clock.advance(600_001);
    transport.refuse(0);
    const again = await reconnected();
    await again.welcome();
    await failing;
    const sent = await again.until('MESSAGE');
    expect(sent.payload).toBe('never written');
    again.receipt(sent, 2);
    await unwritten;
    expect(texts(again.received)).toEqual(['never written']);
    client.disconnect();
  });

  it('what was first written retry_within_ms ago is sent again; a millisecond later it is given back as unknown [ACK-9]', async () => {
    const retry_within_ms = 60_000;
    for (const age of [retry_within_ms, retry_within_ms + 1]) {
      const { clock, transport, started, reconnected } = setUp();
      const { peer, chat } = await started();
      const sending = chat.sendText('old').catch((error: unknown) => error);
      const { id } = await peer.until('MESSAGE');
      const writtenAt = clock.now();
      transport.last.cut();
      const again = await reconnected();
      clock.jumpWall(age - (clock.now() - writtenAt));
      await again.welcome({ retry_within_ms });
      await clock.settle();
      const sent = again.received.find(({ type }) => type === 'MESSAGE');

      if (age > retry_within_ms) {
        expect(sent).toBeUndefined();
        expect(await sending).toMatchObject({ code: 'unknown_outcome' });
      } else {
        expect(sent?.id).toBe(id);
        again.receipt(sent as RawEnvelope, 2);
        again.ack(sent?.seq ?? '');
        expect(await sending).toMatchObject({ id, position: 2 });
      }
    }
  });

  it('its age counts from when it was first written, however often it was since [ACK-9]', async () => {
    const { clock, transport, started, reconnected } = setUp();
    const { peer, chat } = await started();
    const failing = expect(chat.sendText('old')).rejects.toMatchObject({ code: 'unknown_outcome' });
    await peer.until('MESSAGE');
    clock.jumpWall(500_000);
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    await again.until('MESSAGE');
    clock.jumpWall(150_000);
    transport.last.cut();
    await (await reconnected()).welcome();
    await failing;
  });

  it('its age is told by whichever clock went further: a machine that slept through it counts [ACK-9]', async () => {
    const { clock, transport, started, reconnected } = setUp();
    const { peer, chat } = await started();
    const failing = expect(chat.sendText('old')).rejects.toMatchObject({ code: 'unknown_outcome' });
    await peer.until('MESSAGE');
    transport.last.cut();
    clock.jumpWall(3_600_000);
    await (await reconnected()).welcome();
    await failing;
  });

  it('a close that says the server choked gives back what was written and keeps what was not [CLOSE-1]', async () => {
    const { started, reconnected } = setUp();
    const { peer, chat } = await started();
    const written = expect(chat.sendText('poison')).rejects.toMatchObject({ code: 'unknown_outcome' });
    await peer.until('MESSAGE');
    peer.raw.connection.close(1009);
    await written;
    const kept = chat.sendText('kept');
    const again = await reconnected();
    await again.welcome();
    const sent = await again.until('MESSAGE');
    expect(sent.payload).toBe('kept');
    again.receipt(sent, 2);
    await kept;
  });

  it('TRANSACTION_START is asked again under the same reference id and the same id [TX-2]', async () => {
    const { client, connected, transport, reconnected } = setUp();
    const peer = await connected();
    const starting = client.startTransaction('echo', { params: { title: 'A' } });
    const asked = await peer.until('TRANSACTION_START');
    expect(asked.payload).toEqual({ toolName: 'echo', params: { title: 'A' } });
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    const repeated = await again.start();
    expect([repeated.id, repeated.transaction]).toEqual([asked.id, asked.transaction]);
    expect((await starting).id).toBe('T');
  });

  it('an ack does not end a START: without its answer it goes again', async () => {
    const { client, connected, transport, reconnected } = setUp();
    const peer = await connected();
    const starting = client.startTransaction('echo');
    const asked = await peer.until('TRANSACTION_START');
    peer.ack(2);
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    expect((await again.start()).id).toBe(asked.id);
    await starting;
  });
});

describe('an ERROR', () => {
  it('that is final rejects that message alone, with code, retry, expected and got, and the next goes on [ERR-1]', async () => {
    const { started } = setUp();
    const { peer, chat } = await started();
    const bad = chat.sendText('bad');
    const failing = expect(bad).rejects.toMatchObject({
      name: 'RefusedError',
      code: 'INVALID_PAYLOAD',
      retry: false,
      expected: 'a number',
      got: 'a string',
    });
    const good = chat.sendText('good');
    const first = await peer.until('MESSAGE');
    const second = await peer.until('MESSAGE');
    peer.error(first, { code: 'INVALID_PAYLOAD', retry: false, expected: 'a number', got: 'a string' });
    await failing;
    peer.receipt(second, 2);
    expect((await good).position).toBe(2);
    expect(chat.pending).toEqual([]);
  });

  it('with retry keeps the message: it and all later ones go again, in order, same ids, new numbers [ACK-10]', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const sending = ['1', '2', '3'].map((text) => chat.sendText(text));
    await peer.until(({ payload }) => payload === '3');
    const [one, two, three] = peer.received.slice(2);
    for (const refused of [one, two, three]) {
      if (refused) peer.error(refused, { code: 'RATE_LIMITED', retry: true });
    }
    peer.ack(5);
    await clock.settle();
    sending.push(chat.sendText('4'));
    expect(chat.pending[0]).toMatchObject({ payload: '1', refusedBy: 'RATE_LIMITED' });
    await clock.settle();
    expect(peer.received).toHaveLength(5);
    await clock.advance(20_000);
    const again = peer.received.slice(5).filter(({ type }) => type === 'MESSAGE');
    expect(texts(again)).toEqual(['1', '2', '3', '4']);
    expect(again.slice(0, 3).map(({ id }) => id)).toEqual([one?.id, two?.id, three?.id]);
    expect(again.map(({ seq }) => seq)).toEqual(['6', '7', '8', '9']);
    peer.ack(9);
    await Promise.all(sending);
  });

  it('with retry makes those behind it go again, each once it is answered: none is under way twice, and in order [ACK-11]', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const sending = ['1', '2', '3'].map((text) => chat.sendText(text));
    await peer.until(({ payload }) => payload === '3');
    const [one, two, three] = peer.received.slice(2);
    if (!(one && two && three)) throw new Error('Not all of them came.');
    peer.error(one, { code: 'OVERLOADED', retry: true });
    await clock.advance(20_000);
    sending.push(chat.sendText('4'));
    await clock.settle();
    expect(texts(peer.received).slice(3)).toEqual(['1']);
    peer.error(two, { code: 'OVERLOADED', retry: true });
    await clock.settle();
    expect(texts(peer.received).slice(3)).toEqual(['1', '2']);
    peer.error(three, { code: 'OVERLOADED', retry: true });
    await clock.settle();
    expect(texts(peer.received).slice(3)).toEqual(['1', '2', '3', '4']);
    peer.ack(peer.received.length);
    await Promise.all(sending);
  });

  it('with retry waits for no ack: what another transaction has under way holds up nobody [ACK-11]', async () => {
    const { client, clock, started } = setUp();
    const { peer, chat } = await started();
    const other = await joinBeside(client, peer);
    void other.sendText('never settled').catch(() => {});
    await peer.until('MESSAGE');
    const sending = ['1', '2'].map((text) => chat.sendText(text));
    await peer.until(({ payload }) => payload === '2');
    for (const { id, transaction } of peer.received.slice(-2)) {
      peer.error({ id, transaction }, { code: 'RATE_LIMITED', retry: true });
    }
    await clock.advance(20_000);
    expect(texts(peer.received)).toEqual(['never settled', '1', '2', '1', '2']);
    peer.ack(peer.received.length);
    await Promise.all(sending);
  });

  it.each([false, true])(
    'with retry for the first may be followed by word that the next is in the log; given up: %j',
    async (isGivenUp) => {
      const { client, clock, started } = setUp();
      const { peer, chat } = await started();
      const controller = new AbortController();
      const sending = chat.sendText('1');
      const later = chat.sendText('2', { signal: controller.signal });
      const outcome = isGivenUp ? expect(later).rejects.toThrow(UnknownOutcomeError) : later;
      await peer.until(({ payload }) => payload === '2');
      const [one, two] = peer.received.slice(2);
      if (!(one && two)) throw new Error('Not all of them came.');
      peer.error(one, { code: 'OVERLOADED', retry: true });
      await clock.settle();
      if (isGivenUp) controller.abort(new Error('enough'));
      peer.entry(2, { id: two.id, session: 'me', payload: '2' });
      peer.ack(two.seq);
      await clock.advance(20_000);
      // As if it had been refused: the server knows its id.
      expect(texts(peer.received)).toEqual(['1', '2', '1', ...(isGivenUp ? [] : ['2'])]);
      peer.ack(peer.received.length);
      await Promise.all([sending, outcome]);
      expect(client.stats).toMatchObject({ faults: 0, connections: 1 });
      expect(chat.pending.map(({ payload }) => payload)).toEqual(['1']);
    },
  );

  it('with retry for one that was given up, behind another, ends no connection', async () => {
    const { client, clock, started } = setUp();
    const { peer, chat } = await started();
    const controller = new AbortController();
    const sending = chat.sendText('1');
    const later = expect(chat.sendText('2', { signal: controller.signal })).rejects.toThrow(UnknownOutcomeError);
    await peer.until(({ payload }) => payload === '2');
    const [one, two] = peer.received.slice(2);
    if (!(one && two)) throw new Error('Not all of them came.');
    peer.error(one, { code: 'OVERLOADED', retry: true });
    await clock.settle();
    controller.abort(new Error('enough'));
    await later;
    peer.error(two, { code: 'OVERLOADED', retry: true });
    await clock.advance(20_000);
    expect(texts(peer.received)).toEqual(['1', '2', '1']);
    peer.ack(peer.received.length);
    await sending;
    expect(client.stats.connections).toBe(1);
  });

  it('with a time to wait is followed by no retry before that is over [ERR-8]', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const sending = chat.sendText('too much');
    peer.error(await peer.until('MESSAGE'), { code: 'RATE_LIMITED', retry: true, retry_after_ms: 5_000 });
    await clock.advance(5_100);
    expect(texts(peer.received)).toEqual(['too much']);
    await clock.advance(1_000);
    expect(texts(peer.received)).toEqual(['too much', 'too much']);
    peer.ack(peer.received.length);
    await sending;
  });

  it('with retry holds up neither another transaction nor the link', async () => {
    const { client, clock, started } = setUp();
    const { peer, chat } = await started();
    const other = await joinBeside(client, peer);
    void chat.sendText('held').catch(() => {});
    peer.error(await peer.until('MESSAGE'), { code: 'OVERLOADED', retry: true });
    await clock.settle();
    void other.sendText('free').catch(() => {});
    expect((await peer.until('MESSAGE')).payload).toBe('free');
    client.disconnect();
    expect(clock.pending).toBe(0);
  });

  it('with retry for a START makes it go again later', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    const starting = client.startTransaction('echo');
    const asked = await peer.until('TRANSACTION_START');
    peer.error(asked, { code: 'RUN_LIMIT_EXCEEDED', retry: true });
    await clock.advance(20_000);
    const again = await peer.start();
    expect(again.id).toBe(asked.id);
    await starting;
  });

  it('that is final for a START or JOIN rejects it', async () => {
    const { client, connected } = setUp();
    const peer = await connected();
    const starting = expect(client.startTransaction('nothing')).rejects.toMatchObject({ code: 'TOOL_NOT_FOUND' });
    peer.error(await peer.until('TRANSACTION_START'), { code: 'TOOL_NOT_FOUND', retry: false });
    await starting;
    const joining = expect(client.joinTransaction('U')).rejects.toMatchObject({ code: 'TRANSACTION_NOT_FOUND' });
    const join = await peer.until('TRANSACTION_JOIN');
    const payload = { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' };
    peer.verdict(payload, { transaction: 'U', related_id: join.id });
    await joining;
  });

  it('that answers nothing known is an event', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    peer.error({ id: 'whatever', transaction: null }, { code: 'INTERNAL_ERROR', message: 'a fault', retry: true });
    await clock.settle();
    expect(errors).toMatchObject([{ code: 'INTERNAL_ERROR', retry: true }]);
  });

  it('F43: SEQ_VIOLATION ends the connection, and the next one counts from 1', async () => {
    const { started, reconnected } = setUp();
    const { peer, chat } = await started();
    const sending = chat.sendText('Hello');
    const { id, transaction } = await peer.until('MESSAGE');
    peer.error({ id, transaction }, { code: 'SEQ_VIOLATION', retry: true, expected: '2' });
    const again = await reconnected();
    const hai = await again.welcome();
    expect(hai.seq).toBe('1');
    const sent = await again.until('MESSAGE');
    again.receipt(sent, 2);
    await sending;
  });
});

describe('waits end', () => {
  it('an abort before a message was written takes it back', async () => {
    const { client, clock, started, transport, reconnected } = setUp();
    const { chat } = await started();
    transport.last.cut();
    await clock.settle();
    const controller = new AbortController();
    const sending = expect(chat.sendText('no', { signal: controller.signal })).rejects.toThrow('changed my mind');
    controller.abort(new Error('changed my mind'));
    await sending;
    expect(chat.pending).toEqual([]);
    const again = await reconnected();
    await again.welcome();
    await clock.settle();
    expect(again.types).toEqual(['HAI']);
    client.disconnect();
  });

  it('an abort after it was written rejects as unknown; its receipt still finds its body, and it is not sent again', async () => {
    const { clock, started, transport, reconnected } = setUp();
    const { peer, chat } = await started();
    const controller = new AbortController();
    const sending = expect(chat.sendText('maybe', { signal: controller.signal })).rejects.toMatchObject({
      name: 'UnknownOutcomeError',
    });
    const sent = await peer.until('MESSAGE');
    controller.abort();
    await sending;
    expect(chat.pending).toEqual([]);
    peer.receipt(sent, 2, { ack: '1' });
    await clock.settle();
    expect(chat.conversation.messages.map(({ text }) => text)).toEqual(['maybe']);
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    await clock.settle();
    expect(again.types).toEqual(['HAI']);
  });

  it('an abort of a message the server wants again gives it up by reconnecting, so that others pass [ACK-10]', async () => {
    const { clock, started, reconnected } = setUp();
    const { peer, chat } = await started();
    const controller = new AbortController();
    const first = expect(chat.sendText('1', { signal: controller.signal })).rejects.toThrow('enough');
    void chat.sendText('2').catch(() => {});
    peer.error(await peer.until('MESSAGE'), { code: 'INSUFFICIENT_CREDITS', retry: true });
    await clock.settle();
    controller.abort(new Error('enough'));
    await first;
    const again = await reconnected();
    await again.welcome();
    expect((await again.until('MESSAGE')).payload).toBe('2');
    expect(texts(again.received)).toEqual(['2']);
  });

  it('an abort of a message of which the server could not say whether it was stored rejects as unknown', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const controller = new AbortController();
    const sending = expect(chat.sendText('1', { signal: controller.signal })).rejects.toThrow(UnknownOutcomeError);
    peer.error(await peer.until('MESSAGE'), { code: 'OVERLOADED', retry: true });
    await clock.settle();
    controller.abort(new Error('enough'));
    await sending;
  });

  it('an aborted signal sends nothing at all', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    await expect(chat.sendText('no', { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    await clock.settle();
    expect(peer.types).not.toContain('MESSAGE');
  });

  it('an abort of START rejects; the answer that comes after it changes nothing', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    const controller = new AbortController();
    const starting = expect(client.startTransaction('echo', { signal: controller.signal })).rejects.toThrow('enough');
    await peer.until('TRANSACTION_START');
    controller.abort(new Error('enough'));
    await starting;
    await peer.raw.connection.send({ text: '', shared: false });
    client.disconnect();
    expect(clock.pending).toBe(0);
  });

  it('disconnect settles all of them: written as unknown, unwritten as closed, loops end', async () => {
    const { client, clock, started, transport } = setUp();
    const { peer, chat } = await started();
    const written = expect(chat.sendText('1')).rejects.toMatchObject({ code: 'unknown_outcome' });
    await peer.until('MESSAGE');
    transport.last.cut();
    await clock.settle();
    const unwritten = expect(chat.sendText('2')).rejects.toMatchObject({ code: 'closed' });
    const listing = expect(client.listTransactions()).rejects.toMatchObject({ code: 'closed' });
    const loop = chat.messages().next();
    const entries = chat.entries().next();
    const replay = expect(chat.getReplayWindow().next()).rejects.toMatchObject({ code: 'closed' });
    client.disconnect();
    await Promise.all([written, unwritten, listing, replay]);
    expect(await loop).toEqual({ done: true, value: undefined });
    expect(await entries).toEqual({ done: true, value: undefined });
    expect(chat.closed).toEqual({ reason: undefined });
    expect(clock.pending).toBe(0);
    await expect(chat.sendText('3')).rejects.toMatchObject({ code: 'closed' });
  });
});

/** A signal that counts who listens to it. */
function countedSignal() {
  const { signal } = new AbortController();
  const listening = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: () => void, options?: object) => {
    listening.add(listener);
    add(type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: () => void) => {
    listening.delete(listener);
    remove(type, listener);
  };
  return { signal, listening };
}

describe('leaks', () => {
  it('no wait that is over leaves a listener on its signal', async () => {
    const { client, clock, nextPeer } = setUp();
    const { signal, listening } = countedSignal();
    const next = nextPeer();
    const connecting = client.connect({ signal });
    const peer = await next;
    await peer.welcome();
    await connecting;
    const starting = client.startTransaction('echo', { signal });
    await peer.start();
    const chat = await starting;
    const sending = chat.sendText('Hello', { signal });
    peer.receipt(await peer.until('MESSAGE'), 2);
    await sending;
    peer.entry(3);
    for await (const _ of chat.messages({ signal })) break;
    const entries = chat.entries({ signal });
    await entries.return?.();
    const replay = chat.getReplayWindow(1, 1, { signal }).next();
    const asked = await peer.until('REPLAY_REQUEST');
    const payload = { kind: 'replayed', first: '1', to: '0' };
    peer.send({ type: 'INFO', transaction: 'T', related_id: asked.id, payload });
    await replay;
    await clock.settle();
    expect(listening.size).toBe(0);
  });

  it('a thousand messages that are settled and read leave nothing pending, and no timer', async () => {
    const { client, clock, started } = setUp();
    const { peer, chat } = await started();
    const sending: Promise<unknown>[] = [];
    for (let position = 2; position < 1_002; position++) {
      sending.push(chat.sendText(String(position)));
      peer.receipt(await peer.until('MESSAGE'), position);
    }
    await Promise.all(sending);
    expect(chat.pending).toEqual([]);
    const { pending } = clock;
    expect(pending).toBe(1);
    client.disconnect();
    expect(clock.pending).toBe(0);
  });
});

describe('writing', () => {
  it('a link that asks for patience is not written to until it takes more; nothing is lost or reordered', async () => {
    const { client, clock, started, transport } = setUp({}, { highWaterBytes: 1_000 });
    const { peer, chat } = await started();
    transport.last.stall('up');
    const numbers = Array.from({ length: 50 }, (_, i) => String(i));
    for (const text of numbers) void chat.sendText(text).catch(() => {});
    await clock.settle();
    const { up } = transport.last.bytes;
    expect(up).toBeLessThan(4_000);
    transport.last.resume('up');
    await clock.settle();
    expect(texts(peer.received)).toEqual(numbers);
    client.disconnect();
  });

  it('a message that is sent again is as it was, whatever became of the object', async () => {
    const { started, transport, reconnected } = setUp();
    const { peer, chat } = await started();
    const body = { list: [1] };
    void chat.send(body).catch(() => {});
    body.list.push(2);
    await peer.until('MESSAGE');
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    expect((await again.until('MESSAGE')).payload).toEqual({ list: [1] });
  });

  it('what is no JSON value is refused before anything is written [ENV-6]', async () => {
    const { started } = setUp();
    const { chat } = await started();
    await expect(chat.send(Number.NaN)).rejects.toThrow(TypeError);
    await expect(chat.send(undefined as never)).rejects.toThrow(TypeError);
    expect(chat.pending).toEqual([]);
  });
});

describe('who joins again after leaving', () => {
  it('is not put out by the LEAVE, which was read in the log but not acknowledged', async () => {
    const { started, transport, reconnected, client, clock } = setUp();
    const { peer, chat } = await started();
    const leaving = chat.leave();
    const leave = await peer.until('TRANSACTION_LEAVE');
    peer.entry(2, { type: 'TRANSACTION_LEAVE', id: leave.id, session: 'me', payload: {} });
    await leaving;
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    const joining = client.joinTransaction('T');
    const join = await again.until('TRANSACTION_JOIN');
    again.verdict({ verdict: 'resumed', epoch: 'E', seq: '0', last: '2' }, { related_id: join.id });
    const same = await joining;
    await clock.settle();

    expect(again.types).not.toContain('TRANSACTION_LEAVE');
    expect(same.closed).toBeUndefined();
  });

  it('hears what becomes of the messages from before', async () => {
    const { started, client, clock } = setUp();
    const { peer, chat } = await started();
    const sending = chat.sendText('not paid for yet');
    const sent = await peer.until('MESSAGE');
    peer.error(sent, { code: 'INSUFFICIENT_CREDITS', retry: true });
    const leaving = chat.leave();
    const leave = await peer.until('TRANSACTION_LEAVE');
    peer.entry(2, { type: 'TRANSACTION_LEAVE', id: leave.id, session: 'me', payload: {} });
    await leaving;
    const joining = client.joinTransaction('T', { cursor: { epoch: 'E', position: 2 } });
    const join = await peer.until('TRANSACTION_JOIN');
    peer.verdict({ verdict: 'resumed', epoch: 'E', seq: '2', last: '2' }, { related_id: join.id });
    const same = await joining;
    expect(same.pending.map(({ payload }) => payload)).toEqual(['not paid for yet']);
    await clock.advance(20_000);
    const retry = peer.received.findLast(({ type }) => type === 'MESSAGE');
    peer.receipt(retry ?? sent, 3);

    expect(await sending).toEqual({ id: sent.id, position: 3 });
    expect(same.conversation.messages.map(({ text }) => text)).toEqual(['not paid for yet']);
    expect(client.stats.faults).toBe(0);
  });
});

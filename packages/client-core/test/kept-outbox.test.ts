import { fakeClock, type RawEnvelope } from '@haip/testing';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, type FailedMessage, keptOutbox } from '../src/index.ts';
import { type ServerPeer, setUp } from './scripted-server.ts';

/** What a tab keeps: one text. A copy of it is what a duplicated tab begins with. */
function tab(text: string | null = null) {
  const store = {
    text,
    load: () => store.text,
    save(saved: string) {
      store.text = saved;
    },
  };
  return store;
}

/** A page in a tab. */
function page(store: ReturnType<typeof tab>, options: Partial<ClientOptions> & { maxCharacters?: number } = {}) {
  const { maxCharacters, ...rest } = options;
  let ids = 0;
  const prefix = `page-${Math.floor(Math.random() * 1e9)}`;
  const kept = keptOutbox(store, maxCharacters === undefined ? {} : { maxCharacters });
  const all = setUp({ outbox: kept, ids: () => `${prefix}-${++ids}`, ...rest });
  const failed: FailedMessage[] = [];
  all.client.on('failed', (message) => failed.push(message));
  /** Joins T; the server answers that its log begins at 1. */
  const joined = async (peer: ServerPeer, cursor?: { epoch: string; position: number }) => {
    const joining = all.client.joinTransaction('T', cursor ? { cursor } : {});
    const { id, payload } = await peer.until('TRANSACTION_JOIN');
    const seq = payload.seq ?? '0';
    peer.verdict({ verdict: 'resumed', epoch: 'E', seq, last: '9' }, { related_id: id });
    const chat = await joining;
    await all.clock.settle();
    return chat;
  };
  return { ...all, failed, joined };
}

const messages = (peer: ServerPeer): RawEnvelope[] =>
  peer.received.filter(({ type }) => type === 'MESSAGE' || type === 'AUDIO');

/** A page that wrote `1` and `2` before it was left; the server answered neither. */
async function leftWith(store: ReturnType<typeof tab>, options: Parameters<typeof page>[1] = {}) {
  const first = page(store, options);
  const { peer, chat } = await first.started();
  for (const text of ['1', '2']) void chat.sendText(text).catch(() => {});
  await first.clock.settle();
  return { ...first, peer, chat };
}

describe('after a reload', () => {
  it('F59: what was not settled is sent again under its ids when its transaction is joined, before anything new [ACK-8] [HAI-22]', async () => {
    const store = tab();
    const before = await leftWith(store);
    const sent = messages(before.peer);
    const { client, connected, joined, failed, clock } = page(store);
    const peer = await connected();
    await clock.settle();
    expect(peer.types).toEqual(['HAI']);
    const chat = await joined(peer);
    void chat.sendText('3').catch(() => {});
    await clock.settle();
    expect(messages(peer).map(({ payload, seq }) => [payload, seq])).toEqual([
      ['1', '3'],
      ['2', '4'],
      ['3', '5'],
    ]);
    expect(
      messages(peer)
        .slice(0, 2)
        .map(({ id }) => id),
    ).toEqual(sent.map(({ id }) => id));
    expect(chat.pending.map(({ payload }) => payload)).toEqual(['1', '2', '3']);
    // The first had been stored: it comes as an entry. The second is stored now: its receipt finds its body.
    peer.entry(1, { id: sent[0]?.id as string, session: 'me', channel: 'USER', payload: '1' });
    peer.receipt(messages(peer)[1] as RawEnvelope, 2);
    await clock.settle();
    expect(chat.conversation.messages.map(({ text }) => text)).toEqual(['1', '2']);
    expect(chat.pending.map(({ payload }) => payload)).toEqual(['3']);
    expect(failed).toEqual([]);
    await clock.settle();
    expect(JSON.parse(store.text ?? '').messages.map(([{ payload }]: [{ payload: string }]) => payload)).toEqual(['3']);
    client.disconnect();
  });

  it('F59: goes on in its session and with its attempt; the cursors are there to be used [HAI-14] [HAI-15]', async () => {
    const store = tab();
    const before = await leftWith(store);
    before.peer.entry(2);
    await before.clock.settle();
    const { client, connected, joined } = page(store);
    expect([...client.cursors]).toEqual([['T', { epoch: 'E', position: 2 }]]);
    const peer = await connected();
    expect(peer.received[0]?.payload).toMatchObject({ resume_token: 'secret', attempt: '2' });
    expect(peer.received[0]?.payload).not.toHaveProperty('resume');
    const chat = await joined(peer, client.cursors.get('T'));
    expect(peer.received[1]?.payload).toEqual({ epoch: 'E', seq: '2' });
    expect(chat.cursor).toEqual({ epoch: 'E', position: 2 });
  });

  it('what was read back before it was settled is neither sent nor shown as pending again', async () => {
    const store = tab();
    const before = await leftWith(store);
    const [one] = messages(before.peer);
    before.peer.receipt(one as RawEnvelope, 2, { ack: undefined });
    await before.clock.settle();
    const { client, connected, joined } = page(store);
    const peer = await connected();
    const chat = await joined(peer, client.cursors.get('T'));

    expect(messages(peer).map(({ payload }) => payload)).toEqual(['2']);
    expect(chat.pending.map(({ payload }) => payload)).toEqual(['2']);
  });

  it('audio comes back with its bytes', async () => {
    const store = tab();
    const first = page(store);
    const { chat } = await first.started();
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    void chat.sendAudio({ bytes, mime: 'audio/webm', durationMs: 5 }).catch(() => {});
    await first.clock.settle();
    const { connected, joined } = page(store);
    const peer = await connected();
    await joined(peer);
    expect(messages(peer)).toMatchObject([
      { type: 'AUDIO', bin_len: 256, bin_mime: 'audio/webm', payload: { mime: 'audio/webm', duration_ms: 5 }, bytes },
    ]);
  });

  it('F59: what was first written longer ago than the server remembers is told as unknown, never sent [ACK-9]', async () => {
    const store = tab();
    const before = await leftWith(store);
    before.transport.last.cut();
    await before.clock.settle();
    void before.chat.sendText('never written').catch(() => {});
    await before.clock.settle();
    const { connected, joined, failed, clock } = page(store);
    await clock.advance(600_001);
    const peer = await connected();
    await clock.settle();
    expect(failed).toMatchObject([
      { type: 'MESSAGE', transaction: 'T', payload: '1', reason: { code: 'unknown_outcome' } },
      { payload: '2', reason: { code: 'unknown_outcome' } },
    ]);
    await joined(peer);
    expect(messages(peer).map(({ payload }) => payload)).toEqual(['never written']);
    expect(failed).toHaveLength(2);
  });

  it('F59: an age that passes while nobody joins is told too, and so is one that nobody can tell [ACK-9]', async () => {
    const store = tab();
    await leftWith(store);
    const late = page(store);
    await late.connected();
    await late.clock.advance(620_000);
    expect(late.failed).toHaveLength(2);

    const again = tab();
    await leftWith(again);
    const back = page(again, { clock: fakeClock({ now: Date.UTC(2024, 11, 31) }) });
    await back.connected();
    await back.clock.settle();
    expect(back.failed.map(({ reason }) => reason.name)).toEqual(['UnknownOutcomeError', 'UnknownOutcomeError']);
  });

  it('a final ERROR is told with its code, as nobody waits', async () => {
    const store = tab();
    await leftWith(store);
    const { connected, joined, failed, log, clock } = page(store);
    const peer = await connected();
    const chat = await joined(peer);
    peer.error(messages(peer)[0] as RawEnvelope, { code: 'TRANSACTION_ENDED', retry: false });
    await clock.settle();
    expect(failed).toMatchObject([{ payload: '1', reason: { name: 'RefusedError', code: 'TRANSACTION_ENDED' } }]);
    expect(chat.pending.map(({ payload }) => payload)).toEqual(['2']);
    expect(log.filter(({ event }) => event === 'a message of an earlier page failed')).toHaveLength(1);
    expect(JSON.stringify(log)).not.toContain('"payload"');
  });

  it('what did not fit is told: as unknown when it was written; what fits behind it is sent', async () => {
    const store = tab();
    const first = page(store, { maxCharacters: 300 });
    const { chat, peer } = await first.started();
    void chat.sendText('x'.repeat(300)).catch(() => {});
    await peer.until('MESSAGE');
    first.transport.last.cut();
    await first.clock.settle();
    void chat.sendText('y'.repeat(300)).catch(() => {});
    void chat.sendText('small').catch(() => {});
    await first.clock.settle();
    expect(store.text?.length).toBeLessThan(1_000);
    const second = page(store);
    const again = await second.connected();
    await second.clock.settle();
    expect(second.failed.map(({ reason }) => (reason as { code?: string }).code)).toEqual([
      'unknown_outcome',
      'not_kept',
    ]);
    await second.joined(again);
    expect(messages(again).map(({ payload }) => payload)).toEqual(['small']);
  });

  it('a disconnect tells of everything and keeps nothing', async () => {
    const store = tab();
    await leftWith(store);
    const { client, connected, failed, clock } = page(store);
    await connected();
    client.disconnect();
    await clock.settle();
    expect(failed.map(({ payload }) => payload)).toEqual(['1', '2']);
    expect(JSON.parse(store.text ?? '')).toEqual({ attempt: 2, retryWithinMs: 600_000, cursors: [], messages: [] });
  });

  it('a leave is not kept: whoever joins again means to be there', async () => {
    const store = tab();
    const first = page(store);
    const { chat } = await first.started();
    void chat.leave().catch(() => {});
    await first.clock.settle();
    expect(JSON.parse(store.text ?? '').messages).toEqual([]);
  });

  it.each(['not JSON', '7', '{"cursors":1}'])('a text that is none of ours begins afresh: %s', async (text) => {
    const { connected, failed } = page(tab(text));
    const peer = await connected();
    expect(peer.received[0]?.payload.attempt).toBe('1');
    expect(failed).toEqual([]);
  });

  const closed = (): never => {
    throw new Error('SecurityError');
  };
  it.each([
    ['is full or closed', closed, closed],
    ['should have answered at once', async () => closed(), (async () => closed()) as never],
  ])('a store that %s costs a warning, not the message', async (_, save, load) => {
    const store = Object.assign(tab(), { save, load });
    const { started, log, clock } = page(store);
    const { peer, chat } = await started();
    const sending = chat.sendText('1');
    peer.receipt(await peer.until('MESSAGE'), 2);
    await sending;
    await clock.settle();
    expect(new Set(log.map(({ event }) => event))).toEqual(new Set(['outbox not read', 'outbox not kept']));
  });

  it('is written once a turn, however much changes in it', async () => {
    const store = tab();
    let saves = 0;
    const { save } = store;
    store.save = (text) => {
      saves++;
      save(text);
    };
    const { started, clock } = page(store);
    const { chat } = await started();
    saves = 0;
    for (let i = 0; i < 50; i++) void chat.sendText(String(i)).catch(() => {});
    await clock.settle();
    expect(saves).toBe(1);
  });
});

describe('a duplicated tab', () => {
  it('F60: the newer one has the session; the older one stops, is told why, and goes on as a new session without a fight [HAI-16]', async () => {
    const store = tab();
    const older = await leftWith(store);
    const copy = tab(store.text);
    const newer = page(copy);
    const peer = await newer.connected();
    expect(peer.received[0]?.payload).toMatchObject({ resume_token: 'secret', attempt: '2' });
    older.peer.raw.connection.close(4409);
    await older.clock.advance(120_000);
    expect(older.client.state).toMatchObject({ name: 'disconnected', reason: { closeCode: 4409 } });
    expect(older.transport.dials).toBe(1);
    expect(JSON.parse(store.text ?? '')).not.toHaveProperty('token');
    const again = await older.connected();
    expect(again.received[0]?.payload).not.toHaveProperty('resume_token');
    expect(newer.client.state.name).toBe('connected');
  });
});

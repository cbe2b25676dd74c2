import type { Envelope } from '@haip/protocol';
import type { RawEnvelope } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TransactionEvent } from '../src/index.ts';
import { type ServerPeer, setUp } from './scripted-server.ts';

const flow = (messages?: number, bytes?: number) => ({
  capabilities: {
    transaction_log: true,
    binary_frames: true,
    flow_control: { initial_credit_messages: messages, initial_credit_bytes: bytes },
  },
});

const texts = (peer: ServerPeer): unknown[] =>
  peer.received.filter(({ type }) => type === 'MESSAGE').map(({ payload }) => payload);

const grants = (peer: ServerPeer): RawEnvelope[] => peer.received.filter(({ type }) => type === 'FLOW_UPDATE');

/** UTF-8 bytes of an envelope as it came, and of its bytes. */
function sizeOf({ bytes, ...envelope }: RawEnvelope): number {
  return Buffer.byteLength(JSON.stringify(envelope)) + (bytes?.length ?? 0);
}

/** A client whose server grants so much, in a transaction T. */
async function startedWith(capabilities: Record<string, unknown>, options: Parameters<typeof setUp>[0] = {}) {
  const all = setUp(options);
  const peer = await all.connected(capabilities);
  const starting = all.client.startTransaction('echo');
  await peer.start();
  const chat = await starting;
  await all.clock.settle();
  const send = (text: string): void => void chat.sendText(text).catch(() => {});
  const grant = (payload: Record<string, number | string>, fields: Partial<Envelope> = {}): void =>
    peer.send({ type: 'FLOW_UPDATE', transaction: 'T', payload, ...fields });
  return { ...all, peer, chat, send, grant };
}

describe('what a client writes', () => {
  it('F52: waits in order once the window is spent in messages, and FLOW_UPDATE lets it go on [FLOW-1]', async () => {
    const { clock, peer, chat, send, grant } = await startedWith(flow(2));
    for (const text of ['1', '2', '3', '4', '5']) send(text);
    await clock.settle();
    expect(texts(peer)).toEqual(['1', '2']);
    expect(chat.pending).toHaveLength(5);
    grant({ add_messages: 2 });
    await clock.settle();
    expect(texts(peer)).toEqual(['1', '2', '3', '4']);
    grant({ channel: 'AGENT', add_messages: 9 });
    await clock.settle();
    expect(texts(peer)).toHaveLength(4);
    grant({ channel: 'USER', add_messages: 1 });
    await clock.settle();
    expect(texts(peer)).toEqual(['1', '2', '3', '4', '5']);
  });

  it('is counted in bytes as written: goes while the window is positive, and may take it below zero [FLOW-1]', async () => {
    const { clock, peer, send, grant } = await startedWith(flow(100, 250));
    for (const text of ['ä', 'ö'.repeat(100), 'ü', 'é']) send(text);
    await clock.settle();
    const written = peer.received.filter(({ type }) => type === 'MESSAGE');
    expect(written).toHaveLength(2);
    const below = written.map(sizeOf).reduce((sum, size) => sum + size) - 250;
    expect(below).toBeGreaterThan(0);
    grant({ add_bytes: below });
    await clock.settle();
    expect(texts(peer)).toHaveLength(2);
    grant({ add_bytes: 1 });
    await clock.settle();
    expect(texts(peer)).toHaveLength(3);
  });

  it('counts the bytes of audio beside the envelope', async () => {
    const { clock, peer, chat, send } = await startedWith(flow(100, 1_000));
    void chat.sendAudio({ bytes: new Uint8Array(900), mime: 'audio/webm' }).catch(() => {});
    send('behind');
    await clock.settle();
    expect(peer.types).toEqual(['HAI', 'TRANSACTION_START', 'AUDIO']);
  });

  it('in one transaction holds up no other [FLOW-3]', async () => {
    const { client, clock, peer, send } = await startedWith(flow(1));
    const joining = client.joinTransaction('U');
    const join = await peer.until('TRANSACTION_JOIN');
    peer.verdict({ verdict: 'resumed', epoch: 'E', seq: '0', last: '0' }, { transaction: 'U', related_id: join.id });
    const other = await joining;
    for (const text of ['1', '2']) send(text);
    void other.sendText('elsewhere').catch(() => {});
    await clock.settle();
    expect(texts(peer)).toEqual(['1', 'elsewhere']);
  });

  it('needs no window when it is no entry, ends or replays; leaving keeps its place [FLOW-2]', async () => {
    const { client, clock, peer, chat, send, grant } = await startedWith(flow(0));
    send('waits');
    void chat.leave().catch(() => {});
    chat
      .getReplayWindow()
      .next()
      .catch(() => {});
    void client.listTransactions().catch(() => {});
    void chat.end().catch(() => {});
    await clock.settle();
    expect(peer.types.slice(2).sort()).toEqual(['REPLAY_REQUEST', 'TRANSACTION_END', 'TRANSACTION_LIST']);
    grant({ add_messages: 2 });
    await clock.settle();
    expect(peer.types.slice(5)).toEqual(['MESSAGE', 'TRANSACTION_LEAVE']);
    client.disconnect();
  });

  it('a paused channel sends nothing until it is resumed, whatever is granted; null means each transaction [FLOW-1]', async () => {
    const { client, clock, peer, send, grant } = await startedWith(flow());
    peer.send({ type: 'PAUSE_CHANNEL', payload: { channel: 'USER' } });
    await clock.settle();
    const joining = client.joinTransaction('U');
    const join = await peer.until('TRANSACTION_JOIN');
    peer.verdict({ verdict: 'resumed', epoch: 'E', seq: '0', last: '0' }, { transaction: 'U', related_id: join.id });
    const other = await joining;
    send('here');
    void other.sendText('there').catch(() => {});
    grant({ add_messages: 5 });
    await clock.settle();
    expect(texts(peer)).toEqual([]);
    peer.send({ type: 'RESUME_CHANNEL', transaction: 'U', payload: { channel: 'USER' } });
    await clock.settle();
    expect(texts(peer)).toEqual(['there']);
    peer.send({ type: 'RESUME_CHANNEL', payload: { channel: 'USER' } });
    await clock.settle();
    expect(texts(peer)).toEqual(['there', 'here']);
  });

  it('an ack on a FLOW_UPDATE or a PING settles as on any other [ACK-5]', async () => {
    const { peer, chat, grant } = await startedWith(flow());
    const sending = [chat.sendText('1'), chat.sendText('2')];
    await peer.until(({ payload }) => payload === '2');
    grant({ add_messages: 1 }, { ack: '3' });
    await sending[0];
    peer.send({ type: 'PING', ack: '4' });
    await sending[1];
  });

  it('F53: begins with a fresh window on each connection; what is sent again counts there anew [FLOW-4]', async () => {
    const { clock, peer, send, transport, reconnected } = await startedWith(flow(2));
    for (const text of ['1', '2', '3', '4']) send(text);
    await clock.settle();
    expect(texts(peer)).toEqual(['1', '2']);
    transport.last.cut();
    const again = await reconnected();
    await again.welcome(flow(3));
    await clock.settle();
    expect(texts(again)).toEqual(['1', '2', '3']);
  });

  it('a server that keeps no windows is sent everything; `true` and left out fields are the defaults', async () => {
    const none = await startedWith({});
    for (let i = 0; i < 1_100; i++) none.send('x');
    await none.clock.settle();
    expect(texts(none.peer)).toHaveLength(1_100);
    for (const flow_control of [true, {}]) {
      const some = await startedWith({ capabilities: { transaction_log: true, flow_control } });
      for (let i = 0; i < 1_100; i++) some.send('x');
      await some.clock.settle();
      expect(texts(some.peer)).toHaveLength(1_024);
    }
  });

  it('that is refused as beyond the window goes again later', async () => {
    const { clock, peer, chat } = await startedWith(flow());
    const sending = chat.sendText('early');
    const refused = await peer.until('MESSAGE');
    peer.error(refused, { code: 'FLOW_CONTROL_VIOLATION', retry: true });
    await clock.advance(1_000);
    peer.receipt(await peer.until('MESSAGE'), 2);
    await sending;
    expect(texts(peer)).toEqual(['early', 'early']);
  });
});

describe('what a client reads', () => {
  const small = { windowMessages: 4, windowBytes: 1_000_000 };

  it('is granted back once it was handed over, in steps of half a window, per channel [FLOW-1]', async () => {
    const { clock, peer } = await startedWith({}, small);
    expect(peer.received[0]?.payload.capabilities.flow_control).toEqual({
      initial_credit_messages: 4,
      initial_credit_bytes: 1_000_000,
    });
    peer.entry(2);
    peer.entry(3, { channel: 'USER' });
    await clock.settle();
    expect(grants(peer)).toEqual([]);
    peer.entry(4);
    await clock.settle();
    const bytes = [2, 4].map((position) => sizeOf(entry(position))).reduce((sum, size) => sum + size);
    expect(grants(peer)).toMatchObject([
      { transaction: 'T', payload: { channel: 'AGENT', add_messages: 2, add_bytes: bytes } },
    ]);
    peer.entry(5, { channel: 'USER' });
    await clock.settle();
    expect(grants(peer)[1]).toMatchObject({ transaction: 'T', payload: { channel: 'USER', add_messages: 2 } });
  });

  it('is granted back by bytes when these are used up first', async () => {
    const { clock, peer } = await startedWith({}, { windowBytes: 1_000 });
    peer.entry(2, { payload: 'x'.repeat(900) });
    await clock.settle();
    expect(grants(peer)).toMatchObject([{ payload: { add_messages: 1 } }]);
  });

  it('receipts, notices and pages of a replay spend nothing; a repeat does [FLOW-2]', async () => {
    const { clock, peer, chat, send } = await startedWith({}, small);
    for (const text of ['1', '2', '3', '4']) send(text);
    for (let position = 2; position <= 5; position++) peer.receipt(await peer.until('MESSAGE'), position);
    peer.send({ type: 'INFO', transaction: 'T', seq: '9', from_seq: '6', payload: { kind: 'position' } });
    const replay = chat.getReplayWindow(2, 5);
    const page = replay.next();
    const asked = await peer.until('REPLAY_REQUEST');
    for (let position = 2; position <= 5; position++) peer.entry(position);
    peer.send({
      type: 'INFO',
      transaction: 'T',
      related_id: asked.id,
      payload: { kind: 'replayed', first: '1', to: '5' },
    });
    await page;
    expect(grants(peer)).toEqual([]);
    peer.entry(9);
    peer.entry(9);
    await clock.settle();
    expect(grants(peer)).toMatchObject([{ payload: { add_messages: 2 } }]);
  });

  it('F52: a slow loop over entries makes the server wait; taking them lets it go on', async () => {
    const { clock, peer, chat } = await startedWith({}, small);
    const loop = chat.entries();
    const other = chat.entries();
    for (let position = 2; position <= 5; position++) peer.entry(position);
    await clock.settle();
    expect(chat.cursor.position).toBe(5);
    for (let taken = 0; taken < 4; taken++) await loop.next();
    expect(grants(peer)).toEqual([]);
    await other.next();
    await other.next();
    await clock.settle();
    expect(grants(peer)).toMatchObject([{ payload: { add_messages: 2 } }]);
    await other.return?.();
    await clock.settle();
    expect(grants(peer)).toHaveLength(2);
  });

  it('a slow loop over messages makes the server wait for those that are whole, and parts go on', async () => {
    const { clock, peer, chat } = await startedWith({}, small);
    const loop = chat.messages();
    peer.entry(2, { type: 'MESSAGE_START', payload: { message_id: 'a' } });
    peer.entry(3, { type: 'MESSAGE_PART', payload: { message_id: 'a', text: 'abc' } });
    peer.entry(4, { type: 'MESSAGE_END', payload: { message_id: 'a', start_seq: '2' } });
    peer.entry(5);
    await clock.settle();
    expect(grants(peer)).toHaveLength(1);
    await loop.next();
    await clock.settle();
    expect(grants(peer)).toHaveLength(1);
    await loop.next();
    await clock.settle();
    expect(grants(peer)).toHaveLength(2);
  });

  it('messages kept for a loop that is yet to come make nobody wait; nor does a loop that was left', async () => {
    const { clock, peer, chat } = await startedWith({}, small);
    peer.entry(2);
    peer.entry(3);
    await clock.settle();
    expect(grants(peer)).toHaveLength(1);
    const loop = chat.messages();
    peer.entry(4);
    peer.entry(5);
    await clock.settle();
    expect(grants(peer)).toHaveLength(1);
    await loop.return?.();
    await clock.settle();
    expect(grants(peer)).toHaveLength(2);
    expect((await chat.messages().next()).value?.text).toBe('text 2');
  });

  it('F53: what came on an older connection is not granted on the next [FLOW-4]', async () => {
    const { clock, peer, chat, transport, reconnected } = await startedWith({}, small);
    const loop = chat.entries();
    for (let position = 2; position <= 5; position++) peer.entry(position);
    await clock.settle();
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    for (let taken = 0; taken < 4; taken++) await loop.next();
    await clock.settle();
    expect([...grants(peer), ...grants(again)]).toEqual([]);
  });

  it('pause and resume tell the server at once, and a new connection again [FLOW-1]', async () => {
    const { clock, peer, chat, transport, reconnected } = await startedWith({});
    chat.resume();
    chat.pause();
    chat.pause('VIDEO');
    chat.resume('VIDEO');
    await clock.settle();
    expect(peer.received.slice(2)).toMatchObject([
      { type: 'PAUSE_CHANNEL', transaction: 'T', payload: { channel: 'AGENT' } },
      { type: 'PAUSE_CHANNEL', transaction: 'T', payload: { channel: 'VIDEO' } },
      { type: 'RESUME_CHANNEL', transaction: 'T', payload: { channel: 'VIDEO' } },
    ]);
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    expect(await again.until('PAUSE_CHANNEL')).toMatchObject({ transaction: 'T', payload: { channel: 'AGENT' } });
  });
});

/** The envelope that {@link ServerPeer.entry} writes at a position of the tests above. */
function entry(position: number): RawEnvelope {
  return {
    id: `m-${position}`,
    transaction: 'T',
    session: 'agent',
    seq: String(position),
    ts: '5',
    channel: 'AGENT',
    type: 'MESSAGE',
    payload: `text ${position}`,
  };
}

type Step =
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'grant'; readonly messages: number; readonly bytes: number; readonly isForEach: boolean }
  | { readonly kind: 'pause' | 'resume' | 'cut' | 'ack' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send'), text: fc.string({ maxLength: 200 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('grant'),
      messages: fc.nat(3),
      bytes: fc.nat(500),
      isForEach: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('pause', 'resume', 'ack') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut') }) },
) as fc.Arbitrary<Step>;

/** Holds a client to its window by what a server sees: counts by itself. */
class Watch {
  readonly peer: ServerPeer;
  #messages: number;
  #bytes: number;
  isPaused = false;
  #seen = 0;

  constructor(peer: ServerPeer, messages: number, bytes: number) {
    this.peer = peer;
    this.#messages = messages;
    this.#bytes = bytes;
  }

  /** Takes what came since; each message must have found the window open. */
  look(): void {
    for (; this.#seen < this.peer.received.length; this.#seen++) {
      const envelope = this.peer.received[this.#seen] as RawEnvelope;
      if (envelope.type !== 'MESSAGE') continue;
      expect(this.#messages > 0 && this.#bytes > 0 && !this.isPaused).toBe(true);
      this.#messages--;
      this.#bytes -= sizeOf(envelope);
    }
  }

  grant(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
  }
}

it('F52: whatever is granted, paused and cut, a client keeps to its window, and all drains when grants go on [FLOW-1] [FLOW-4]', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(4), fc.nat(800), async (steps, messages, bytes) => {
      const { client, clock, peer, chat, send, transport, reconnected } = await startedWith(flow(messages, bytes));
      let watch = new Watch(peer, messages, bytes);
      const sent: string[] = [];
      const stored = new Map<string, unknown>();
      const settleAll = (): void => {
        for (const { type, id, payload } of watch.peer.received) if (type === 'MESSAGE') stored.set(id, payload);
        watch.peer.ack(watch.peer.received.length);
      };
      for (const one of steps) {
        if (one.kind === 'send') {
          sent.push(one.text);
          send(one.text);
        } else if (one.kind === 'grant') {
          watch.grant(one.messages, one.bytes);
          const payload = { add_messages: one.messages, add_bytes: one.bytes };
          watch.peer.send({ type: 'FLOW_UPDATE', transaction: one.isForEach ? null : 'T', payload });
        } else if (one.kind === 'cut') {
          await clock.settle();
          watch.look();
          transport.last.cut();
          watch = new Watch(await reconnected(), messages, bytes);
          await watch.peer.welcome(flow(messages, bytes));
        } else if (one.kind === 'ack') {
          settleAll();
        } else {
          const type = one.kind === 'pause' ? 'PAUSE_CHANNEL' : 'RESUME_CHANNEL';
          watch.isPaused = one.kind === 'pause';
          watch.peer.send({ type, transaction: 'T', payload: { channel: 'USER' } });
        }
        await clock.settle();
        watch.look();
      }
      watch.isPaused = false;
      watch.peer.send({ type: 'RESUME_CHANNEL', payload: { channel: 'USER' } });
      for (let round = 0; round < 2 * sent.length + 2; round++) {
        watch.grant(1, 400);
        watch.peer.send({ type: 'FLOW_UPDATE', transaction: 'T', payload: { add_messages: 1, add_bytes: 400 } });
        await clock.settle();
        watch.look();
        settleAll();
      }
      await clock.settle();
      expect([...stored.values()]).toEqual(sent);
      client.disconnect();
      expect(chat.closed).toEqual({ reason: undefined });
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 60 },
  );
});

it('F52: both ways shut and opened at random, everything arrives in order, and the server is never short of grants for long', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 200, max: 2_000 }),
      fc.array(fc.tuple(fc.nat(300), fc.boolean()), { minLength: 1, maxLength: 60 }),
      async (windowMessages, windowBytes, entries) => {
        const { client, clock, peer, chat } = await startedWith({}, { windowMessages, windowBytes });
        const loop = chat.entries();
        let messages = windowMessages;
        let bytes = windowBytes;
        let counted = 0;
        const took: number[] = [];
        const count = (): void => {
          const all = grants(peer);
          for (; counted < all.length; counted++) {
            messages += all[counted]?.payload.add_messages;
            bytes += all[counted]?.payload.add_bytes;
          }
        };
        const take = async (): Promise<void> => {
          const { value } = (await loop.next()) as { value: TransactionEvent };
          if (value.kind === 'entry') took.push(value.entry.position);
          await clock.settle();
          count();
        };
        let position = 1;
        for (const [length, isSlow] of entries) {
          // Out of window the server waits; the application takes what it holds, and that alone must free it.
          while (!(messages > 0 && bytes > 0)) await take();
          const payload = 'x'.repeat(length);
          const before = entry(++position);
          peer.entry(position, { payload });
          messages--;
          bytes -= sizeOf({ ...before, payload });
          await clock.settle();
          if (!isSlow) await take();
        }
        while (took.length < entries.length) await take();
        expect(took).toEqual(entries.map((_, index) => index + 2));
        expect(messages).toBeGreaterThan(windowMessages / 2 - 1);
        client.disconnect();
      },
    ),
    { numRuns: 60 },
  );
});

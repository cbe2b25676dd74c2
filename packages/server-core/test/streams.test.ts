import { toBase64 } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bothStores } from './stores.ts';
import {
  answerTo,
  entriesOf,
  errorsOf,
  expectContiguous,
  join,
  type LinkedPeer,
  say,
  seeEntry,
  settled,
  start,
  testServer,
} from './support.ts';
import { mute } from './tools.ts';

/** Writes one step of a stream and gives the code of its ERROR, or undefined once it is stored. */
async function step(peer: LinkedPeer, transaction: string, name: string, messageId: string, text = 'x') {
  const payload = name === 'END' ? { message_id: messageId } : { message_id: messageId, text };
  const sent = peer.send({ type: `MESSAGE_${name}`, transaction, payload });
  await settled(peer, sent);
  return peer.received.find(({ type, related_id }) => type === 'ERROR' && related_id === sent.id)?.payload.code;
}

describe.each(bothStores)('a text that a user streams, over %s', (_, makeStore) => {
  async function setup() {
    const clock = fakeClock();
    const limits = { maxProtocolErrors: 10_000, maxOpenStreams: 1_000 };
    const test = testServer({ clock, history: makeStore(clock), tools: [mute], limits });
    const [ada, eve] = [await test.enter('ada'), await test.enter('eve')];
    const { id } = await start(ada, 'mute');
    await join(eve, id);
    return { ...test, ada, eve, id };
  }

  test('[TEXT-1, READ-5] is one message: its END is stored with the whole text and where it began', async () => {
    const { ada, eve, id, enter } = await setup();
    await step(ada, id, 'START', 'm', 'He');
    await step(ada, id, 'PART', 'm', 'll');
    await step(ada, id, 'PART', 'm', 'o');
    await step(ada, id, 'END', 'm');
    const live = await seeEntry(eve, { type: 'MESSAGE_END' });
    const late = await enter('eve');
    await join(late, id);

    expect(live.payload).toEqual({ message_id: 'm', start_seq: '3' });
    expect((await seeEntry(late, { type: 'MESSAGE_END' })).payload).toEqual({
      message_id: 'm',
      start_seq: '3',
      text: 'Hello',
    });
    expect(entriesOf(ada)).toMatchObject([{ type: 'TRANSACTION_JOIN' }]);
  });

  test('F57: only what is open and its own goes on; a fault costs that one message [TEXT-1, TEXT-2]', async () => {
    const { ada, eve, id } = await setup();
    const moves = fc.array(
      fc.record({
        isAda: fc.boolean(),
        name: fc.constantFrom('START', 'PART', 'END'),
        message: fc.integer({ min: 0, max: 2 }),
      }),
      { maxLength: 14 },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(moves, async (steps) => {
        run++;
        const streams = new Map<string, { owner: boolean; open: boolean }>();
        for (const { isAda, name, message } of steps) {
          const key = `m-${run}-${message}`;
          const stream = streams.get(key);
          const isFine = name === 'START' ? stream === undefined : stream?.open === true && stream.owner === isAda;
          expect(await step(isAda ? ada : eve, id, name, key)).toBe(isFine ? undefined : 'PROTOCOL_VIOLATION');
          if (isFine) streams.set(key, { owner: stream?.owner ?? isAda, open: name !== 'END' });
        }
      }),
      { numRuns: 12 },
    );
  }, 20_000);

  test('[TEXT-3] may be edited once it has ended, and not before', async () => {
    const { ada, eve, id } = await setup();
    ada.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'm' } });
    expect(await step(ada, id, 'UPDATE', 'm', 'edited')).toBe('PROTOCOL_VIOLATION');
    await step(ada, id, 'END', 'm');
    expect(await step(ada, id, 'UPDATE', 'm', 'edited')).toBeUndefined();

    expect((await seeEntry(eve, { type: 'MESSAGE_UPDATE' })).payload).toEqual({ message_id: 'm', text: 'edited' });
  });

  test('[LOG-4] whose END is sent again is settled as the first time', async () => {
    const { ada, id } = await setup();
    await step(ada, id, 'START', 'm');
    const end = { type: 'MESSAGE_END', transaction: id, id: 'the-end', payload: { message_id: 'm' } };
    await settled(ada, ada.send(end));
    await settled(ada, ada.send(end));
    const other = { ...end, payload: { message_id: 'm', status: 'cancelled' } };
    await settled(ada, ada.send(other));

    expect(errorsOf(ada)).toEqual(['PROTOCOL_VIOLATION']);
  });
});

test('[READ-5] an author who is behind, and whose parts were compacted meanwhile, gets the long END in place of a receipt', async () => {
  const { enter } = testServer({ tools: [mute] });
  const ada = await enter('ada', {}, { highWaterBytes: 500 });
  const { id } = await start(ada, 'mute');
  const eve = await enter('eve');
  await join(eve, id);
  ada.link.stall('down');
  for (let n = 0; n < 10; n++) await say(eve, id, `${n}`);
  const payload = { message_id: 'm' };
  ada.send({ type: 'MESSAGE_START', transaction: id, payload });
  ada.send({ type: 'MESSAGE_PART', transaction: id, payload: { ...payload, text: 'Hello' } });
  const end = ada.send({ type: 'MESSAGE_END', transaction: id, payload });
  await seeEntry(eve, { type: 'MESSAGE_END' });
  for (let n = 0; n < 700; n++) await say(eve, id, `more ${n}`);
  ada.link.resume('down');
  await seeEntry(ada, { payload: 'more 699' });

  expectContiguous(ada, id, 0);
  expect(await seeEntry(ada, { type: 'MESSAGE_END' })).toMatchObject({ id: end.id, payload: { text: 'Hello' } });
});

test('[LOG-9, LOG-10] an open one counts once and is not trimmed; once it has ended the window moves on', async () => {
  const { enter, history } = testServer({ tools: [mute], history: { windowSize: 5 } });
  const ada = await enter();
  const { id } = await start(ada, 'mute');
  await step(ada, id, 'START', 'm', '');
  for (let n = 0; n < 20; n++) await step(ada, id, 'PART', 'm', `${n} `);
  for (let n = 0; n < 10; n++) await say(ada, id, `text ${n}`);
  expect(await history.head(id)).toMatchObject({ first: 2, last: 32 });
  await step(ada, id, 'END', 'm');
  await say(ada, id, 'next');

  const { first = 0, entries = [] } = (await history.read(id, { from: 1 })) ?? {};
  expect(first).toBeGreaterThan(2);
  expect(entries.find(({ type }) => type === 'MESSAGE_END')?.payload).toHaveProperty('text');
});

describe('the length of a streamed text', () => {
  test('A32: is limited: a part too many is MESSAGE_TOO_LARGE, and the message can be ended', async () => {
    const { enter } = testServer({ tools: [mute], limits: { maxStreamBytes: 2_000 } });
    const ada = await enter();
    const { id } = await start(ada, 'mute');
    await step(ada, id, 'START', 'm', '');
    expect(await step(ada, id, 'PART', 'm', 'a'.repeat(1_000))).toBeUndefined();
    expect(await step(ada, id, 'PART', 'm', 'é'.repeat(500))).toBeUndefined();
    expect(await step(ada, id, 'PART', 'm', 'c')).toBe('MESSAGE_TOO_LARGE');

    expect(await step(ada, id, 'END', 'm')).toBeUndefined();
  });

  test('[READ-5] that no envelope holds stays in its parts; the END is short for everybody', async () => {
    const { enter } = testServer({ tools: [mute], limits: { maxTextBytes: 6_000 } });
    const ada = await enter('ada');
    const { id } = await start(ada, 'mute');
    const parts = ['a'.repeat(1_000), 'b'.repeat(1_000)];
    await step(ada, id, 'START', 'm', '');
    for (const part of parts) await step(ada, id, 'PART', 'm', part);
    await step(ada, id, 'END', 'm');
    const eve = await enter('eve');
    await join(eve, id);

    expect((await seeEntry(eve, { type: 'MESSAGE_END' })).payload).toEqual({ message_id: 'm', start_seq: '2' });
    const seen = entriesOf(eve).filter(({ type }) => type === 'MESSAGE_PART');
    expect(seen.map(({ payload }) => payload.text)).toEqual(parts);
  });
});

describe('audio', () => {
  const bytes = new Uint8Array([0, 1, 2, 253, 254, 255]);
  const payload = { message_id: 'a', mime: 'audio/ogg', duration_ms: 20 };

  async function setup() {
    const test = testServer();
    const ada = await test.enter('ada');
    const { id } = await start(ada);
    return { ...test, ada, id };
  }

  test('[AUDIO-1] goes with its bytes to everybody, and comes back from the echo', async () => {
    const { ada, id, enter } = await setup();
    const sent = ada.send({ type: 'AUDIO', transaction: id, payload, bin_mime: 'audio/ogg' }, bytes);
    expect(await answerTo(ada, sent)).toMatchObject({ seq: '2', payload: { kind: 'receipt' } });
    const echoed = await seeEntry(ada, { type: 'AUDIO' });
    const eve = await enter('eve');
    await join(eve, id);
    const entry = await seeEntry(eve, { type: 'AUDIO' });

    expect(echoed).toMatchObject({ seq: '3', channel: 'AGENT', bin_len: 6, bin_mime: 'audio/ogg', bytes });
    expect(echoed.payload).toEqual({ message_id: expect.any(String), mime: 'audio/ogg', duration_ms: 20 });
    expect(entry).toMatchObject({ id: sent.id, payload, bin_len: 6, bin_mime: 'audio/ogg', bytes });
  });

  test('[AUDIO-1] is base64 for a link, or a peer, without binary frames; AUDIO_CHUNK is the same', async () => {
    const { ada, id, enter } = await setup();
    const data = toBase64(bytes);
    const sent = ada.send({ type: 'AUDIO_CHUNK', transaction: id, payload: { ...payload, data } });
    await answerTo(ada, sent);
    const textLink = await enter('eve', {}, { binary: false });
    const textPeer = await enter('eve', { capabilities: { transaction_log: true } });
    const both = await enter('eve');
    for (const peer of [textLink, textPeer, both]) await join(peer, id);

    for (const peer of [textLink, textPeer]) {
      const entry = await seeEntry(peer, { type: 'AUDIO' });
      expect(entry.payload).toEqual({ ...payload, data });
      expect([entry.bin_len, entry.bytes]).toEqual([undefined, undefined]);
    }
    expect(await seeEntry(both, { type: 'AUDIO' })).toMatchObject({
      payload,
      bytes,
      bin_len: 6,
      bin_mime: 'audio/ogg',
    });
  });

  test('sent raw with its kind in bin_mime only has it in the payload for a link without binary frames', async () => {
    const { ada, id, enter } = await setup();
    await answerTo(ada, ada.send({ type: 'AUDIO', transaction: id, payload: {}, bin_mime: 'audio/ogg' }, bytes));
    const eve = await enter('eve', {}, { binary: false });
    await join(eve, id);
    const entry = await seeEntry(eve, { type: 'AUDIO' });
    expect(entry.payload).toEqual({ mime: 'audio/ogg', data: toBase64(bytes) });
  });

  test('[LOG-4] sent raw and again in base64 is the same message', async () => {
    const { ada, id, history } = await setup();
    await settled(ada, ada.send({ type: 'AUDIO', transaction: id, id: 'a', payload }, bytes));
    const again = { type: 'AUDIO', transaction: id, id: 'a' };
    await settled(ada, ada.send({ ...again, payload: { ...payload, data: toBase64(bytes) } }));
    expect(errorsOf(ada)).toEqual([]);
    await settled(ada, ada.send({ ...again, payload: { ...payload, data: toBase64(bytes.slice(1)) } }));

    expect(errorsOf(ada)).toEqual(['PROTOCOL_VIOLATION']);
    const page = await history.read(id, { from: 1 });
    expect(page?.entries.filter(({ type, user }) => type === 'AUDIO' && user === 'ada')).toHaveLength(1);
  });

  test.each([{}, { data: 'not base64!' }, { data: 'AAA' }])(
    '[AUDIO-1] without bytes, as %j, is PROTOCOL_VIOLATION',
    async (data) => {
      const { ada, id, history } = await setup();
      const sent = ada.send({ type: 'AUDIO', transaction: id, payload: { ...payload, ...data } });

      expect((await answerTo(ada, sent)).payload).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
      expect(await history.head(id)).toMatchObject({ last: 1 });
    },
  );

  test('A18: whose bytes are of another length than it says is refused, and nothing is stored [AUDIO-2]', async () => {
    const { ada, id, history } = await setup();
    for (const bin_len of [5, 7]) {
      const sent = ada.send({ type: 'AUDIO', transaction: id, payload, bin_len }, bytes);
      expect((await answerTo(ada, sent)).payload).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    }

    expect(await history.head(id)).toMatchObject({ last: 1 });
  });
});

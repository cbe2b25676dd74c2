import { fakeClock, plainV1Client } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { bothStores } from './stores.ts';
import { entriesOf, join, say, seeEntry, start, testServer, times, userOf } from './support.ts';
import { streaming, toolThat } from './tools.ts';

const authenticate = (auth: { token?: string; user?: string }) =>
  auth.token === 'Bearer TOKEN' || auth.user ? userOf(auth.user ?? 'v1') : null;

describe.each(bothStores)('a plain v1 client, over %s', (_, makeStore) => {
  function setup(...pieces: string[]) {
    const clock = fakeClock();
    return testServer({ clock, history: makeStore(clock), authenticate, tools: [streaming(...pieces)] });
  }

  test('[V1-1, V1-3] starts behind its HAI, sends ten texts, gets them back as MESSAGE with strings, and nothing else', async () => {
    const { plain, client } = plainPeer(setup());
    const transaction = await client.start('echo');
    const texts = times(10, (n) => `text ${n}`);
    for (const text of texts) client.sendText(transaction, text);
    const messages = await client.untilMessages(10);
    await plain.clock.settle();

    expect(messages.map(({ payload }) => payload)).toEqual(texts);
    expect(client.received.map(({ type }) => type)).toEqual([
      'HAI',
      'TRANSACTION_START',
      ...times(10, () => 'MESSAGE'),
    ]);
    expect(client.received.filter(({ ack, from_seq }) => ack !== undefined || from_seq !== undefined)).toEqual([]);
    expect([client.dropped, client.errors]).toEqual([[], []]);
  });

  test('[V1-4] is alive after ten minutes of silence: it is probed and sent no PING', async () => {
    const { plain, client, link } = plainPeer(setup());
    const transaction = await client.start('echo');
    await plain.clock.advance(600_000);
    expect([link.open, client.pongs]).toEqual([true, 0]);
    client.sendText(transaction, 'still here');

    expect(await client.untilMessages(1)).toMatchObject([{ payload: 'still here' }]);
    link.mute('up');
    await plain.clock.advance(50_000);
    expect(link.open).toBe(false);
  });

  test('[V1-2] gets a stream as one MESSAGE with the whole text, at the position of its end', async () => {
    const { plain, client } = plainPeer(setup('Hel', 'lo'));
    const transaction = await client.start('streaming');
    client.sendText(transaction, 'go');
    const [message] = await client.untilMessages(1);
    await plain.clock.settle();
    const page = await plain.history.read(transaction, { from: 1 });
    const end = page?.entries.find(({ type }) => type === 'MESSAGE_END');

    expect(message).toMatchObject({ type: 'MESSAGE', payload: 'Hello', channel: 'AGENT', seq: String(end?.position) });
    expect(client.received).toHaveLength(3);
  });

  test('[V1-2] is sent no empty text', async () => {
    const { plain, client } = plainPeer(setup());
    const transaction = await client.start('streaming');
    client.sendText(transaction, 'go');
    for (let n = 0; n < 20; n++) await plain.clock.settle();

    expect((await plain.history.read(transaction, { from: 1 }))?.entries.at(-1)?.type).toBe('RUN_FINISHED');
    expect(client.received.map(({ type }) => type)).toEqual(['HAI', 'TRANSACTION_START']);
  });

  test('[V1-2] sees others: a text they stream as one MESSAGE, an open one at the end of the transaction', async () => {
    const { plain, client } = plainPeer(setup());
    const transaction = await client.start('streaming');
    const eve = await plain.enter('eve');
    await join(eve, transaction);
    const payload = (message_id: string, text = '') => ({ message_id, text });
    for (const [type, body] of [
      ['MESSAGE_START', payload('one')],
      ['MESSAGE_PART', payload('one', 'first')],
      ['MESSAGE_START', payload('two', 'sec')],
      ['MESSAGE_PART', payload('two', 'ond')],
      ['MESSAGE_END', { message_id: 'one' }],
      ['TRANSACTION_END', {}],
    ] as const) {
      eve.send({ type, transaction, payload: body });
    }
    const messages = await client.untilMessages(2);

    expect(messages.map(({ payload: text, channel }) => [text, channel])).toEqual([
      ['first', 'USER'],
      ['second', 'USER'],
    ]);
  });

  test('[V1-2] gets a stream that the end of the transaction cut off as one MESSAGE of its author, in that end’s place', async () => {
    const halfway = toolThat(async (turn) => {
      const writer = await turn.stream();
      await writer.write('half an ans');
      await new Promise((resolve) => turn.signal.addEventListener('abort', resolve));
    });
    const clock = fakeClock();
    const { plain, client } = plainPeer(
      testServer({ clock, history: makeStore(clock), authenticate, tools: [halfway] }),
    );
    const transaction = await client.start('tool');
    client.sendText(transaction, 'go');
    const eve = await plain.enter('eve');
    await join(eve, transaction);
    const { session } = await seeEntry(eve, { type: 'MESSAGE_PART' });
    await say(eve, transaction, 'in between');
    eve.send({ type: 'TRANSACTION_END', transaction });
    const messages = await client.untilMessages(2);
    const end = (await plain.history.read(transaction, { from: 1 }))?.entries.at(-1);

    expect(end?.type).toBe('TRANSACTION_END');
    expect(messages).toMatchObject([
      { payload: 'in between', channel: 'USER' },
      { payload: 'half an ans', channel: 'AGENT', seq: String(end?.position), session },
    ]);
  });

  test('[V1-2] gets a stream that it cuts off itself, too', async () => {
    const { enter } = setup();
    const eve = await enter('eve');
    const { id } = await start(eve);
    eve.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'one', text: 'half' } });
    const ada = await enter('ada', { capabilities: {} });
    ada.send({ type: 'TRANSACTION_JOIN', transaction: id });
    ada.send({ type: 'MESSAGE', transaction: id, payload: 'stop' });
    await seeEntry(eve, { payload: 'stop' });
    ada.send({ type: 'TRANSACTION_END', transaction: id });
    const { seq } = await seeEntry(eve, { type: 'TRANSACTION_END' });

    expect(await seeEntry(ada, { payload: 'half' })).toMatchObject({ type: 'MESSAGE', id: 'one', seq });
    expect(entriesOf(ada).filter(({ type }) => type === 'TRANSACTION_END')).toEqual([]);
  });

  test('[V1-2] gets the whole text of a stream whose beginning it did not see, or not any more', async () => {
    const { plain, client } = plainPeer(setup('Hel', 'lo'));
    const eve = await plain.enter('eve');
    const { id, epoch } = await start(eve, 'streaming');
    await say(eve, id, 'go');
    const { seq } = await seeEntry(eve, { type: 'MESSAGE_END' });
    // The beginning and the parts are deleted by now: this is all that a late comer can know.
    await plain.clock.settle();
    const late = await plain.enter('ada', { capabilities: {} });
    late.send({ type: 'TRANSACTION_JOIN', transaction: id, payload: { epoch, seq: '1' } });

    expect(await seeEntry(late, { payload: 'Hello' })).toMatchObject({ type: 'MESSAGE', channel: 'AGENT', seq });
    expect(client.messages).toEqual([]);
  });

  test('pays for what it says like anybody: beyond its credits is INSUFFICIENT_CREDITS, until there are more', async () => {
    const clock = fakeClock();
    const poor = (auth: { token?: string }) => (auth.token === undefined ? null : userOf('ada', { credits: 2 }));
    const options = { clock, history: makeStore(clock), authenticate: poor, credits: {} };
    const { plain, client } = plainPeer(testServer(options));
    const { credits } = plain.server;
    const transaction = await client.start('echo');
    for (const text of ['one', 'two', 'three']) client.sendText(transaction, text);
    await client.untilMessages(2);
    while (client.errors.length === 0) await clock.settle();
    expect(client.errors).toMatchObject([{ transaction, payload: { code: 'INSUFFICIENT_CREDITS', retry: true } }]);
    expect(await credits.balance('ada')).toBe(0);

    // Such a client never sends a message again: what it says next is another one.
    await credits.grant('ada', 1);
    client.sendText(transaction, 'four');
    expect((await client.untilMessages(3)).map(({ payload }) => payload)).toEqual(['one', 'two', 'four']);
    expect(client.errors).toHaveLength(1);
  });
});

function plainPeer(plain: ReturnType<typeof testServer>) {
  const link = plain.connectRaw();
  return { plain, link, client: plainV1Client(link.client) };
}

test('[V1-1] a plain v1 client with wrong credentials is refused and closed 1008', async () => {
  const plain = testServer({ authenticate });
  const client = plainV1Client(plain.connectRaw().client, { auth: { token: 'wrong' } });

  expect(await client.closed).toMatchObject({ code: 1008 });
  expect(client.errors).toMatchObject([{ payload: { code: 'AUTHENTICATION_FAILED' } }]);
});

test('[V1-1] what a plain v1 client writes is an entry like any other for those who know the log', async () => {
  const plain = testServer({ authenticate });
  const client = plainV1Client(plain.connectRaw().client);
  const transaction = await client.start('echo');
  client.sendText(transaction, 'from v1');
  const eve = await plain.enter('eve');
  await join(eve, transaction);
  await seeEntry(eve, { payload: 'from v1' });
  const own = await start(eve);

  expect(entriesOf(eve)[0]).toMatchObject({ type: 'TRANSACTION_START', seq: '1' });
  expect(own.id).not.toBe(transaction);
});

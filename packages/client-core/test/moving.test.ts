import { type MemoryTransportOptions, memoryTransport } from '@haip/testing';
import { expect, it } from 'vitest';
import { type ServerPeer, setUp } from './scripted-server.ts';

/** A client with a transaction T of which entry 1 was read, and another transport to the same server. */
async function started(link: MemoryTransportOptions = {}) {
  const all = setUp();
  const other = memoryTransport(all.accept, { clock: all.clock, name: 'other', ...link });
  return { ...all, other, ...(await all.started()) };
}

/** Answers the JOIN of a moved session. */
async function resume(peer: ServerPeer, read: number): Promise<void> {
  const { id, payload } = await peer.until('TRANSACTION_JOIN');
  expect(payload).toEqual({ epoch: 'E', seq: String(read) });
  peer.verdict({ verdict: 'resumed', epoch: 'E', seq: String(read), last: String(read) }, { related_id: id });
}

it('F17: reads the old connection up to the reply on the new one, then joins where reading was [HTTP-2]', async () => {
  const { client, clock, peer, chat, other, nextPeer } = await started();
  const next = nextPeer();
  const moving = client.useTransport(other);
  const newer = await next;
  peer.entry(2);
  await clock.settle();
  expect(newer.received[0]?.payload).toMatchObject({ resume_token: 'secret', attempt: '2' });
  expect(newer.received[0]?.payload).not.toHaveProperty('resume');
  expect(chat.cursor.position).toBe(2);
  expect(client.state).toEqual({ name: 'connected', session: 'me', transport: 'memory' });
  await newer.welcome();
  await moving;
  peer.entry(3);
  await resume(newer, 2);
  newer.entry(3, { payload: 'from the new one' });
  await clock.settle();
  expect(chat.conversation.messages.map(({ text }) => text)).toEqual(['text 2', 'from the new one']);
  expect(client.state).toEqual({ name: 'connected', session: 'me', transport: 'other' });
  expect((await peer.raw.closed).code).toBe(1000);
  expect(client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
});

it('F18: 4409 on the old connection is of no account while the newer one is its own [HAI-16]', async () => {
  const { client, clock, peer, other, nextPeer, chat } = await started();
  const states: string[] = [];
  client.on('state', ({ name }) => states.push(name));
  const next = nextPeer();
  const moving = client.useTransport(other);
  const newer = await next;
  peer.raw.connection.close(4409);
  await clock.advance(1_000);
  const sending = chat.sendText('meanwhile');
  expect(states).toEqual([]);
  await newer.welcome();
  await moving;
  await resume(newer, 1);
  newer.receipt(await newer.until('MESSAGE'), 2);
  expect(await sending).toMatchObject({ position: 2 });
  expect(states).toEqual(['connected']);
});

it('F18: when the move fails after the server has closed the old one, the client comes back with its token', async () => {
  const { client, clock, peer, other, nextPeer, reconnected } = await started();
  const next = nextPeer();
  const moving = expect(client.useTransport(other)).rejects.toMatchObject({ code: 'not_moved' });
  await (await next).until('HAI');
  other.last.stall('down');
  await clock.advance(10_000);
  await moving;
  // The server heard the HAI, late.
  peer.raw.connection.close(4409);
  const again = await reconnected();
  expect((await again.until('HAI')).payload).toMatchObject({
    resume_token: 'secret',
    attempt: '3',
    resume: [{ transaction: 'T', epoch: 'E', seq: '1' }],
  });
});

it('a JOIN of the move that was stored is read in its place', async () => {
  const { client, clock, chat, other, nextPeer } = await started();
  const next = nextPeer();
  const moving = client.useTransport(other);
  const newer = await next;
  await newer.welcome();
  await moving;
  const asked = await newer.until('TRANSACTION_JOIN');
  // It was stored behind what the server knew to be the last.
  newer.verdict({ verdict: 'resumed', epoch: 'E', seq: '1', last: '2' }, { related_id: asked.id });
  newer.entry(2);
  newer.receipt(asked, 3);
  await clock.settle();
  expect(chat.cursor.position).toBe(3);
  expect(client.stats.faults).toBe(0);
});

it('what is not settled goes again on the new connection, in order, under the same ids', async () => {
  const { client, peer, chat, other, nextPeer } = await started();
  const sent = [chat.sendText('a'), chat.sendText('b')];
  await peer.until(({ payload }) => payload === 'b');
  const next = nextPeer();
  const moving = client.useTransport(other);
  const newer = await next;
  sent.push(chat.sendText('c'));
  await newer.welcome();
  await moving;
  await resume(newer, 1);
  await newer.until(({ payload }) => payload === 'c');
  const texts = newer.received.filter(({ type }) => type === 'MESSAGE');
  expect(texts.map(({ payload, seq }) => [payload, seq])).toEqual([
    ['a', '3'],
    ['b', '4'],
    ['c', '5'],
  ]);
  expect(peer.received.filter(({ type }) => type === 'MESSAGE').map(({ id }) => id)).toEqual(texts.map(({ id }) => id));
  texts.forEach((text, i) => void newer.receipt(text, i + 2));
  expect((await Promise.all(sent)).map(({ position }) => position)).toEqual([2, 3, 4]);
});

it('an ack of the old connection settles nothing that was written on the new one', async () => {
  const { client, clock, peer, chat, other, nextPeer } = await started();
  const joining = client.joinTransaction('U');
  const asked = await peer.until('TRANSACTION_JOIN');
  const next = nextPeer();
  const moving = client.useTransport(other);
  const newer = await next;
  await clock.settle();
  // Both in one turn: what the old one brought is still being looked at when the new one takes over.
  peer.verdict(
    { verdict: 'resumed', epoch: 'E', seq: '0', last: '0' },
    { transaction: 'U', related_id: asked.id, ack: '100' },
  );
  const welcome = newer.welcome();
  const sending = chat.sendText('a');
  await welcome;
  await moving;
  await joining;
  await clock.settle();
  expect(chat.pending).toHaveLength(1);
  await resume(newer, 1);
  expect(newer.types.filter((type) => type === 'TRANSACTION_JOIN')).toHaveLength(2);
  newer.receipt(await newer.until('MESSAGE'), 2);
  expect(await sending).toMatchObject({ position: 2 });
  expect(client.stats.faults).toBe(0);
});

it('a transport that does not open is named in the error, and the old one carries the session as before', async () => {
  const { client, peer, chat, clock, other, transport } = await started();
  other.refuse();
  await expect(client.useTransport(other)).rejects.toMatchObject({
    code: 'not_moved',
    retry: true,
    message: 'other did not open.',
    cause: { message: expect.stringContaining('refused by the test') },
  });
  peer.entry(2);
  await clock.settle();
  expect(chat.cursor.position).toBe(2);
  expect(client.state).toMatchObject({ name: 'connected', transport: 'memory' });
  expect([transport.dials, client.stats.connections]).toEqual([1, 1]);
});

it('credentials that are refused on the new connection leave the old one alone', async () => {
  const { client, other, nextPeer } = await started();
  const next = nextPeer();
  const moving = expect(client.useTransport(other)).rejects.toMatchObject({
    code: 'not_moved',
    cause: { code: 'AUTHENTICATION_FAILED' },
  });
  const newer = await next;
  newer.error(await newer.until('HAI'), { code: 'AUTHENTICATION_FAILED', retry: false });
  newer.raw.connection.close(1008);
  await moving;
  expect(client.state).toMatchObject({ name: 'connected', transport: 'memory' });
});

it('an abort ends the move and closes what it had opened; after the move it ends nothing', async () => {
  const { client, other, nextPeer, peer, chat, clock } = await started();
  const controller = new AbortController();
  let next = nextPeer();
  const moving = client.useTransport(other, { signal: controller.signal });
  await (await next).until('HAI');
  controller.abort(new Error('enough'));
  await expect(moving).rejects.toThrow('enough');
  await clock.settle();
  expect(other.last.open).toBe(false);
  peer.entry(2);
  await clock.settle();
  expect(chat.cursor.position).toBe(2);

  const later = new AbortController();
  next = nextPeer();
  const moved = client.useTransport(other, { signal: later.signal });
  await (await next).welcome();
  await moved;
  later.abort(new Error('too late'));
  await clock.settle();
  expect(client.state).toMatchObject({ name: 'connected', transport: 'other' });
});

it('moves asked for together are made one after the other', async () => {
  const { client, clock, accept, nextPeer } = await started();
  const [a, b] = ['a', 'b'].map((name) => memoryTransport(accept, { clock, name }));
  let next = nextPeer();
  const moves = [a, b].map((transport) => transport && client.useTransport(transport));
  for (const _ of moves) {
    const peer = await next;
    next = nextPeer();
    await peer.welcome();
  }
  await Promise.all(moves);
  expect(client.state).toMatchObject({ name: 'connected', transport: 'b' });
  expect([a?.dials, b?.dials]).toEqual([1, 1]);
});

it('while it waits for the next attempt a move dials at once, and the session goes on there', async () => {
  const { client, clock, chat, other, transport, nextPeer } = await started();
  transport.refuse();
  transport.last.cut();
  await clock.settle();
  expect(client.state.name).toBe('waiting');
  const next = nextPeer();
  const moving = client.useTransport(other);
  const newer = await next;
  await newer.welcome();
  await moving;
  await resume(newer, 1);
  newer.entry(2);
  newer.send({ type: 'PONG' });
  await clock.advance(10_000);
  expect(chat.cursor.position).toBe(2);
  expect(client.state).toMatchObject({ name: 'connected', transport: 'other' });
  expect(transport.dials).toBe(1);
});

it('it is the preferred transport from then on: it is dialled first after a cut, and not left for another', async () => {
  const { client, clock, other, transport, nextPeer } = await started();
  const next = nextPeer();
  const moving = client.useTransport(other);
  const newer = await next;
  await newer.welcome();
  await moving;
  newer.send({ type: 'PONG' });
  await clock.settle();
  other.last.cut();
  await clock.advance(200);
  expect([transport.dials, other.dials]).toEqual([1, 2]);
});

it('a moved session whose transport does not deliver falls back to the one it came from', async () => {
  const { client, clock, other, transport, nextPeer } = await started();
  let next = nextPeer();
  const moving = client.useTransport(other);
  await (await next).welcome();
  await moving;
  next = nextPeer();
  await clock.advance(3_000);
  const back = await next;
  expect((await back.welcome()).payload).toMatchObject({ resume: [{ transaction: 'T', seq: '1' }], attempt: '3' });
  await clock.settle();
  expect(client.state).toMatchObject({ name: 'connected', transport: 'memory' });
  expect(transport.dials).toBe(2);
});

it('a paused channel is told before the transaction is joined, so that nothing of it comes', async () => {
  const { client, chat, other, nextPeer } = await started();
  chat.pause();
  const next = nextPeer();
  const moving = client.useTransport(other);
  const newer = await next;
  await newer.welcome();
  await moving;
  await newer.until('TRANSACTION_JOIN');
  expect(newer.types).toEqual(['HAI', 'PAUSE_CHANNEL', 'TRANSACTION_JOIN', 'PING']);
});

it('A41: a disconnect at any moment of a move leaves no link and no timer', async () => {
  for (let turns = 0; turns < 60; turns++) {
    const { client, clock, other, transport, peers } = await started();
    const moving = client.useTransport(other);
    moving.catch(() => {});
    for (let turn = 0; turn < turns; turn++) {
      await undefined;
      if (turn === 20) void peers[1]?.welcome();
    }
    client.disconnect();
    const outcome = await moving.then(
      () => 'moved',
      ({ code }) => code,
    );
    expect(['moved', 'not_moved']).toContain(outcome);
    await clock.settle();
    expect([...transport.links, ...other.links].filter(({ open }) => open)).toEqual([]);
    expect(clock.pending).toBe(0);
    expect(client.state.name).toBe('disconnected');
  }
});

it('needs a client that was connected', async () => {
  const { client, transport } = setUp();
  await expect(client.useTransport(transport)).rejects.toMatchObject({ code: 'closed' });
  expect(transport.dials).toBe(0);
});

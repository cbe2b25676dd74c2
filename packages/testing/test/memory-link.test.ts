import { type Connection, Fault, type Frame, type Received } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { fakeClock, type MemoryLinkOptions, memoryLink, rawPeer, settle } from '../src/index.ts';

const frame = (text: string, bytes?: Uint8Array): Frame => ({ text, bytes, shared: false });

/** Everything a connection brings, as it comes. */
function collect(connection: Connection): { batches: (readonly (Received | Fault)[])[]; done: Promise<void> } {
  const batches: (readonly (Received | Fault)[])[] = [];
  const done = (async () => {
    for await (const batch of connection) batches.push(batch);
  })();
  return { batches, done };
}

function peers(options: MemoryLinkOptions = {}) {
  const link = memoryLink(options);
  return { link, client: rawPeer(link.client), server: rawPeer(link.server) };
}

describe('memoryLink', () => {
  test('what is written together arrives as one batch, in order', async () => {
    const link = memoryLink();
    const reader = collect(link.server);
    const client = rawPeer(link.client);
    for (let i = 0; i < 3; i++) client.send({ type: 'PING', payload: { i } });
    await settle();
    client.send({ type: 'PONG' });
    await settle();
    expect(reader.batches.map((batch) => batch.map((item) => (item as Received).envelope.seq))).toEqual([
      ['1', '2', '3'],
      ['4'],
    ]);
  });

  test('each end reads as its side does: a client reads a clock for a seq as 0, a server refuses it', async () => {
    const link = memoryLink();
    const read = { client: collect(link.client), server: collect(link.server) };
    const fields = { id: 'a', transaction: null, session: 's', ts: '5', channel: 'SYSTEM', type: 'PING', payload: {} };
    const text = JSON.stringify({ ...fields, seq: '1755187354681.5' });
    void link.server.send(frame(text));
    void link.client.send(frame(text));
    await settle();
    expect(read.client.batches).toMatchObject([[{ envelope: { seq: '0', type: 'PING' } }]]);
    expect(read.server.batches[0]?.[0]).toBeInstanceOf(Fault);
  });

  test('text that is no envelope arrives as a fault among its neighbours', async () => {
    const link = memoryLink();
    const reader = collect(link.server);
    const client = rawPeer(link.client);
    client.send({ type: 'PING' });
    void client.sendText('{bad');
    client.send({ type: 'PONG' });
    await settle();
    const [ping, fault, pong] = reader.batches.flat();
    expect((ping as Received).envelope.type).toBe('PING');
    expect(fault).toBeInstanceOf(Fault);
    expect((pong as Received).envelope.type).toBe('PONG');
  });

  test('A19: bytes and bin_len that disagree are one fault, never a message without its bytes', async () => {
    const { client, server } = peers();
    const bytes = new Uint8Array([1, 2, 3]);
    client.send({ type: 'AUDIO', bin_len: 4 }, bytes);
    client.send({ type: 'AUDIO', bin_len: 3 });
    client.send({ type: 'AUDIO' }, bytes);
    await settle();
    expect(server.faults.map(({ code }) => code)).toEqual(['PROTOCOL_VIOLATION', 'PROTOCOL_VIOLATION']);
    expect(server.received.map((envelope) => envelope.bytes)).toEqual([bytes]);
  });

  test('the bytes are those of the moment they were sent', async () => {
    const { client, server } = peers();
    const bytes = new Uint8Array([7]);
    client.send({ type: 'AUDIO' }, bytes);
    bytes[0] = 0;
    expect((await server.next()).bytes).toEqual(new Uint8Array([7]));
  });

  test('latency holds each message for its time, by the clock given', async () => {
    const clock = fakeClock();
    const { client, server } = peers({ clock, latencyMs: 50 });
    client.send({ type: 'PING' });
    await clock.advance(30);
    client.send({ type: 'PONG' });
    await clock.advance(19);
    expect(server.received).toHaveLength(0);
    await clock.advance(1);
    expect(server.received).toHaveLength(1);
    await clock.advance(30);
    expect(server.received).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  test('a cut loses what is underway, ends both sides with 1006 and leaves no timer', async () => {
    const clock = fakeClock();
    const { link, client, server } = peers({ clock, latencyMs: 50 });
    client.send({ type: 'PING' });
    link.cut();
    expect((await client.closed).code).toBe(1006);
    expect((await server.closed).code).toBe(1006);
    await clock.advance(100);
    expect([server.received.length, clock.pending, link.open]).toEqual([0, 0, false]);
  });

  test('F5: a half-open link takes what is sent and never tells', async () => {
    const { link, client, server } = peers();
    link.cut('client');
    expect((await client.closed).code).toBe(1006);
    expect(server.send({ type: 'PING' }).type).toBe('PING');
    link.server.probe();
    await settle();
    expect([link.server.heard, link.open]).toEqual([0, true]);
    link.cut('server');
    expect((await server.closed).code).toBe(1006);
  });

  test('F6: a muted direction loses what goes in, the other one works', async () => {
    const { link, client, server } = peers();
    link.mute('down');
    client.send({ type: 'PING' });
    await server.expect('PING');
    server.send({ type: 'PONG' });
    link.client.probe();
    await settle();
    expect([client.received.length, link.client.heard, link.server.heard]).toEqual([0, 0, 2]);
  });

  test('a stalled direction makes its writer wait past the mark and loses nothing', async () => {
    const link = memoryLink({ highWaterBytes: 1000 });
    const reader = collect(link.server);
    link.stall('up');
    expect(link.client.send(frame('x'.repeat(1000)))).toBeUndefined();
    const pending = link.client.send(frame('y'));
    let resolved = false;
    void pending?.then(() => {
      resolved = true;
    });
    await settle();
    expect([pending instanceof Promise, resolved, reader.batches.length]).toEqual([true, false, 0]);
    link.resume('up');
    await settle();
    expect([resolved, reader.batches.flat().length]).toEqual([true, 2]);
  });

  test('a stalled direction lets through as much as the test says, and written says how much that is', async () => {
    const link = memoryLink();
    const reader = collect(link.client);
    link.stall('down');
    for (const text of ['abc', 'de', 'f']) void link.server.send(frame(text));
    await settle();
    expect([reader.batches.length, link.server.written]).toEqual([0, 0]);
    link.trickle('down', 2);
    await settle();
    expect([reader.batches.flat().length, link.server.written]).toEqual([2, 5]);
    link.resume('down');
    await settle();
    expect([reader.batches.flat().length, link.server.written]).toEqual([3, 6]);
    link.trickle('down', 1);
    expect(reader.batches.flat().length).toBe(3);
  });

  test('bytes are counted each way as UTF-8', async () => {
    const link = memoryLink();
    void link.client.send(frame('é', new Uint8Array(3)));
    void link.server.send(frame('abc'));
    expect(link.bytes).toEqual({ up: 5, down: 3 });
  });
});

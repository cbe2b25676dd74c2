// Streams that nobody goes on with.

import { fakeClock, settle } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { bothStores } from './stores.ts';
import {
  codeOf,
  entriesOf,
  isReceipt,
  join,
  type LinkedPeer,
  see,
  seeEntry,
  settled,
  start,
  testServer,
} from './support.ts';
import { mute, toolThat } from './tools.ts';

const MINUTE = 60_000;

function begin(peer: LinkedPeer, transaction: string, id = 'w') {
  return peer.send({ type: 'MESSAGE_START', transaction, payload: { message_id: id } });
}

function part(peer: LinkedPeer, transaction: string, text: string, id = 'w') {
  return peer.send({ type: 'MESSAGE_PART', transaction, payload: { message_id: id, text } });
}

function ends(peer: LinkedPeer) {
  return entriesOf(peer).filter(({ type }) => type === 'MESSAGE_END');
}

describe.each(bothStores)('over %s', (_, makeStore) => {
  async function talking(options: Parameters<typeof testServer>[0] = {}) {
    const clock = fakeClock();
    const server = testServer({ clock, history: makeStore(clock), tools: [mute], ...options });
    const [ada, eve] = [await server.enter('ada'), await server.enter('eve')];
    const { id } = await start(ada, 'mute');
    await join(eve, id);
    /** Time passes and both give their signs of life. */
    const pass = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 15_000) {
        for (const peer of [ada, eve]) peer.send({ type: 'PONG' });
        await clock.advance(Math.min(left, 15_000));
      }
      await settle(40);
    };
    return { ...server, ada, eve, id, pass };
  }

  test('[LOG-12] a message without a part for 5 min is ended as interrupted, with what it has', async () => {
    const { ada, eve, id, pass, history } = await talking();
    begin(ada, id);
    await settled(ada, part(ada, id, 'so far'));
    await pass(5 * MINUTE - 1);
    expect(ends(eve)).toEqual([]);
    await pass(MINUTE / 2 + 1);
    const end = await seeEntry(eve, { type: 'MESSAGE_END' });
    expect(end).toMatchObject({ channel: 'USER', payload: { message_id: 'w', status: 'interrupted', start_seq: '3' } });
    expect(ends(ada)).toEqual([end]);
    const late = part(ada, id, 'too late');
    expect(await codeOf(ada, late)).toBe('PROTOCOL_VIOLATION');
    await pass(10 * MINUTE);
    expect(ends(eve)).toHaveLength(1);
    const page = await history.read(id, { from: 1 });
    const stored = page?.entries.filter(({ type }) => type.startsWith('MESSAGE_'));

    expect(stored?.map(({ type, payload }) => [type, (payload as { text?: string }).text])).toEqual([
      ['MESSAGE_END', 'so far'],
    ]);
  });

  test('[LOG-12] each part gives it 5 min more, and its end ends the watch', async () => {
    const { ada, eve, id, pass, clock } = await talking();
    begin(ada, id);
    for (let n = 0; n < 4; n++) {
      await settled(ada, part(ada, id, n === 0 ? '' : 'x'));
      await pass(5 * MINUTE - 1);
    }
    expect(ends(eve)).toEqual([]);
    const ended = ada.send({ type: 'MESSAGE_END', transaction: id, payload: { message_id: 'w' } });
    await see(ada, (envelope) => isReceipt(envelope) && envelope.related_id === ended.id);
    await pass(6 * MINUTE);

    expect(ends(eve).map(({ id }) => id)).toEqual([ended.id]);
    // One heartbeat for each connection, and nothing else.
    expect(clock.pending).toBe(2);
  });

  test('[LOG-12] one is ended and another, which goes on, is not', async () => {
    const { ada, eve, id, pass } = await talking();
    begin(ada, id, 'one');
    await settled(ada, begin(ada, id, 'two'));
    await pass(4 * MINUTE);
    await settled(ada, part(ada, id, 'on', 'two'));
    await pass(2 * MINUTE);
    expect(ends(eve).map(({ payload }) => payload.message_id)).toEqual(['one']);
    await pass(4 * MINUTE);

    expect(ends(eve).map(({ payload }) => payload.message_id)).toEqual(['one', 'two']);
  });

  test("[LOG-12] an agent's message, too, and its turn goes on", async () => {
    let write: (text: string) => Promise<void> = () => Promise.resolve();
    const gate = Promise.withResolvers<void>();
    const tool = toolThat(async (turn) => {
      const writer = await turn.stream();
      write = (text) => writer.write(text);
      await writer.write('so far');
      await gate.promise;
    });
    const { ada, pass } = await talking({ tools: [mute, tool], limits: { turnTimeoutMs: 30 * MINUTE } });
    const { id } = await start(ada, 'tool');
    ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
    await seeEntry(ada, { type: 'MESSAGE_PART' });
    await pass(6 * MINUTE);
    const end = await seeEntry(ada, { type: 'MESSAGE_END' });
    expect(end).toMatchObject({ channel: 'AGENT', payload: { status: 'interrupted' } });
    expect(end.run_id).toBe(entriesOf(ada).find(({ type }) => type === 'RUN_STARTED')?.run_id);
    await write('more');
    await settle();
    await expect(write('and more')).rejects.toThrow('MESSAGE_PART was refused');
    gate.resolve();
    await settle();
  });

  test('[LOG-12] it is ended although everybody has gone, and then nothing is left in hand', async () => {
    const { ada, eve, id, clock, server, history } = await talking();
    await settled(ada, begin(ada, id));
    for (const peer of [ada, eve]) peer.link.cut();
    await settle(40);
    expect(server.transactions).toBe(1);
    await clock.advance(6 * MINUTE);
    await settle(40);

    expect([server.transactions, clock.pending]).toEqual([0, 0]);
    const page = await history.read(id, { from: 3 });
    expect(page?.entries.map(({ type }) => type)).toEqual(['MESSAGE_END']);
  });

  test('[LOG-12] a server that closes ends no message and leaves no timer', async () => {
    const { ada, id, clock, server, history } = await talking();
    await settled(ada, begin(ada, id));
    await server.close();
    await clock.advance(10 * MINUTE);

    expect(clock.pending).toBe(0);
    const page = await history.read(id, { from: 3 });
    expect(page?.entries.map(({ type }) => type)).toEqual(['MESSAGE_START']);
  });
});

// How far a tool may write ahead of who reads it.

import type { StreamOptions } from '@haip/protocol';
import { settle } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Audience } from '../src/audience.ts';
import type { ServerLimits } from '../src/index.ts';
import { join, type LinkedPeer, seeEntry, settled, start, testServer, times } from './support.ts';
import { toolThat } from './tools.ts';

const flowing = {
  capabilities: {
    binary_frames: true,
    transaction_log: true,
    flow_control: { initial_credit_messages: 10, initial_credit_bytes: 1_000_000 },
  },
};

function grant(peer: LinkedPeer, transaction: string, add_messages: number) {
  return settled(peer, peer.send({ type: 'FLOW_UPDATE', transaction, payload: { add_messages } }));
}

/** A tool that writes 100 words, one after another, to ada who asked. `written` counts. */
async function writing(options: StreamOptions = {}, limits: Partial<ServerLimits> = {}) {
  const count = { written: 0, ended: '' };
  const tool = toolThat(async (turn) => {
    const writer = await turn.stream(options);
    try {
      for (const n of times(100, String)) {
        await writer.write(n);
        count.written++;
      }
      count.ended = 'done';
    } catch (error) {
      count.ended = (error as Error).message;
    }
  });
  const server = testServer({ tools: [tool], limits: { maxReaderLag: 20, ...limits } });
  const ada = await server.enter('ada', flowing);
  const { id } = await start(ada, 'tool');
  const go = async (): Promise<void> => {
    await settled(ada, ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' }));
    await settle();
  };
  return { ...server, ada, id, count, go };
}

describe('write', () => {
  test('[READ-10] waits while every reader is more than so many entries behind, and what it wrote is stored', async () => {
    const { ada, id, count, go, history } = await writing();
    await go();
    // RUN_STARTED, MESSAGE_START and 8 words went out. When 21 more are stored, who reads is too far behind for the next.
    const head = await history.head(id);
    const sent = Number(ada.received.findLast(({ seq }) => seq !== '0')?.seq);
    expect([sent, (head?.last ?? 0) - sent]).toEqual([12, 22]);
    expect([count.written, count.ended]).toEqual([29, '']);
    await grant(ada, id, 1);
    await settle();
    expect(count.written).toBeGreaterThan(29);
    await grant(ada, id, 1_000);
    await seeEntry(ada, { type: 'RUN_FINISHED' });

    expect(count).toEqual({ written: 100, ended: 'done' });
  });

  test('[READ-10] waits for the quickest reader only, and for none where there is none', async () => {
    const { ada, id, count, go, enter } = await writing();
    const eve = await enter('eve');
    await join(eve, id);
    await go();
    expect(count.ended).toBe('done');
    eve.link.cut();
    ada.link.cut();
    const bob = await enter('bob');
    count.ended = '';
    await settled(bob, bob.send({ type: 'MESSAGE', transaction: id, payload: 'go' }));
    await settle();

    expect(count.ended).toBe('done');
  });

  test('[READ-10] goes on when the reader it waits for leaves, is gone, or another comes who is near', async () => {
    for (const how of ['leave', 'cut', 'join'] as const) {
      const { ada, id, count, go, enter, history } = await writing();
      await go();
      expect(count.ended).toBe('');
      if (how === 'leave') ada.send({ type: 'TRANSACTION_LEAVE', transaction: id });
      if (how === 'cut') ada.link.cut();
      if (how === 'join') {
        const { epoch = '', last = 0 } = (await history.head(id)) ?? {};
        await join(await enter('eve'), id, { epoch, seq: String(last) });
      }
      await settle();
      expect([how, count.ended]).toEqual([how, 'done']);
    }
  });

  test('[READ-10] ends when the turn is stopped: by a cancel, by its time, by the server', async () => {
    for (const how of ['cancel', 'time', 'close'] as const) {
      const { ada, id, count, go, clock, server, history } = await writing({}, { turnTimeoutMs: 5_000 });
      await go();
      expect(count.ended).toBe('');
      const page = await history.read(id, { from: 1 });
      const run_id = page?.entries.find(({ type }) => type === 'RUN_STARTED')?.run_id as string;
      if (how === 'cancel') ada.send({ type: 'RUN_CANCEL', transaction: id, payload: { run_id } });
      if (how === 'time') await clock.advance(5_000);
      if (how === 'close') void server.close();
      await settle();
      expect(count.ended).not.toBe('');
      expect(count.ended).not.toBe('done');
      expect(count.written).toBeLessThan(40);
    }
  });

  test('[READ-10] waits for who asked alone when the tool says so, however near others are', async () => {
    const { ada, id, count, go, enter } = await writing({ pace: 'asker' });
    const eve = await enter('eve');
    await join(eve, id);
    await go();
    expect(count.ended).toBe('');
    const second = await enter('ada');
    await join(second, id);
    await settle();
    expect(count.ended).toBe('done');
    await grant(ada, id, 1_000);
  });

  test('[READ-10] of an asker who is not there waits for nobody', async () => {
    const { ada, count, go } = await writing({ pace: 'asker' });
    const gone = go();
    ada.link.cut();
    await gone.catch(() => undefined);
    await settle();

    expect(count.ended === 'done' || count.written === 0).toBe(true);
  });
});

describe('an audience', () => {
  test('forgets who kept up and has left', () => {
    const audience = new Audience();
    const [quick, slow] = [
      { user: 'ada', position: 10 },
      { user: 'eve', position: 0 },
    ];
    for (const listener of [quick, slow]) audience.join(listener);
    expect(audience.reaches(5)).toBe(true);
    audience.leave(quick);

    expect(audience.reaches(5)).toBe(false);
  });

  test('reaches a position when somebody has it, or nobody is there to have it', () => {
    const anyone = fc.record({ user: fc.constantFrom('ada', 'eve'), position: fc.nat(10) });
    fc.assert(
      fc.property(fc.array(anyone), fc.array(fc.nat(12)), (everyone, asked) => {
        const audience = new Audience();
        for (const listener of everyone) audience.join(listener);
        for (const position of asked) {
          for (const user of [undefined, 'ada', 'eve', 'bob']) {
            const those = everyone.filter((listener) => user === undefined || listener.user === user);
            const expected = those.length === 0 || those.some((listener) => listener.position >= position);
            expect(audience.reaches(position, user)).toBe(expected);
          }
        }
        for (const listener of everyone) audience.leave(listener);
        expect(audience.reaches(1_000)).toBe(true);
      }),
    );
  });
});

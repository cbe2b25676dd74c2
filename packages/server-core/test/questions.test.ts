import { fakeClock } from '@haip/testing';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import { answerTo, start, testServer } from './support.ts';

describe('questions about no transaction in particular', () => {
  test('[TX-9] TRANSACTION_LIST gives the own ones, newest first, in pages', async () => {
    const { enter, clock } = testServer();
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const ids = [];
    for (let n = 0; n < 60; n++) ids.unshift((await start(ada, 'echo', { title: `no ${n}` })).id);
    const { id: others } = await start(eve);
    ada.send({ type: 'TRANSACTION_END', transaction: ids[0] as string });
    const first = await answerTo(ada, ada.send({ type: 'TRANSACTION_LIST' }));
    const rest = await answerTo(ada, ada.send({ type: 'TRANSACTION_LIST', payload: { after: first.payload.next } }));
    const listed = [...first.payload.transactions, ...rest.payload.transactions];

    expect(listed.map(({ transaction }) => transaction)).toEqual(ids);
    expect(listed.map(({ transaction }) => transaction)).not.toContain(others);
    expect(listed[0]).toEqual({
      transaction: ids[0],
      toolName: 'echo',
      createdAt: String(clock.now()),
      title: 'no 59',
      endedAt: String(clock.now()),
    });
    expect(rest.payload.next).toBeUndefined();
    const lost = await answerTo(ada, ada.send({ type: 'TRANSACTION_LIST', payload: { after: 'nonsense' } }));
    expect(lost.payload.transactions).toEqual([]);
  });

  test('F25: TRANSACTION_LIST of a store that fails is OVERLOADED', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { enter } = testServer({ clock, history });
    const peer = await enter();
    history.failNext('list');

    expect((await answerTo(peer, peer.send({ type: 'TRANSACTION_LIST' }))).payload).toMatchObject({
      code: 'OVERLOADED',
    });
  });

  test('[RUN-4] TOOL_LIST names the tools to everybody', async () => {
    const { enter } = testServer({ tools: [{ name: 'plain' }] });
    const peer = await enter('nobody', { auth: { user: 'nobody' } });
    const reply = await answerTo(peer, peer.send({ type: 'TOOL_LIST' }));

    expect(reply.payload.tools).toEqual([{ name: 'echo', description: 'Says what it hears.' }, { name: 'plain' }]);
  });

  test('[RUN-4] TOOL_SCHEMA gives what the tool or its schema says, and {} when neither does', async () => {
    const described = {
      '~standard': { ...v.string()['~standard'], jsonSchema: { input: () => ({ type: 'number' }) } },
    };
    const mute = { '~standard': { ...v.string()['~standard'], jsonSchema: { input: () => expect.unreachable() } } };
    const tools = [
      { name: 'given', input: v.object({ n: v.number() }), inputJsonSchema: { type: 'object' } },
      { name: 'undescribed', input: v.object({ n: v.number() }) },
      { name: 'described', input: described as never },
      { name: 'mute', input: mute as never },
    ];
    const { enter } = testServer({ tools });
    const peer = await enter();
    const schemas = [];
    for (const { name } of tools) {
      const reply = await answerTo(peer, peer.send({ type: 'TOOL_SCHEMA', payload: { tool: name } }));
      schemas.push([reply.payload.tool, reply.payload.schema]);
    }

    expect(schemas).toEqual([
      ['given', { type: 'object' }],
      ['undescribed', {}],
      ['described', { type: 'number' }],
      ['mute', {}],
    ]);
    const none = await answerTo(peer, peer.send({ type: 'TOOL_SCHEMA', payload: { tool: 'none' } }));
    expect(none.payload).toMatchObject({ code: 'TOOL_NOT_FOUND' });
  });
});

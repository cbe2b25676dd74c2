import type { HAIPUser, JsonValue } from '@haip/protocol';
import { fakeClock, type RawEnvelope } from '@haip/testing';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import { answerTo, codeOf, join, type LinkedPeer, say, settled, start, testServer, userOf } from './support.ts';
import { mute } from './tools.ts';

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

  describe('[TX-9] the title of a conversation that was started without one', () => {
    async function titleAfter(write: (peer: LinkedPeer, transaction: string) => Promise<unknown>) {
      const { enter } = testServer({ tools: [mute] });
      const peer = await enter();
      const { id } = await start(peer, 'mute', { tone: 'kind' });
      await write(peer, id);
      return titleIn(await answerTo(peer, peer.send({ type: 'TRANSACTION_LIST' })));
    }

    const titleIn = ({ payload }: RawEnvelope): string | undefined => payload.transactions[0].title;
    const send = (peer: LinkedPeer, transaction: string, type: string, payload: JsonValue) =>
      settled(peer, peer.send({ type, transaction, payload }));

    test('is the first line that a person wrote, whatever the tool does', async () => {
      expect(await titleAfter((peer, id) => say(peer, id, '\n   Where is Ada? \nand Bob?'))).toBe('Where is Ada?');
      expect(await titleAfter((peer, id) => say(peer, id, { text: 'as an object' }))).toBe('as an object');
    });

    test('is not there before somebody wrote, nor of what has no words', async () => {
      expect(await titleAfter(async () => {})).toBeUndefined();
      expect(await titleAfter((peer, id) => say(peer, id, { mood: 'good' }))).toBeUndefined();
      const later = async (peer: LinkedPeer, id: string): Promise<void> => {
        await say(peer, id, ' \n ');
        await say(peer, id, 'words');
      };
      expect(await titleAfter(later)).toBe('words');
    });

    test('is no longer than 120 units and cuts no character in two', async () => {
      const cut = await titleAfter((peer, id) => say(peer, id, `${'x'.repeat(119)}🙂 and more`));
      expect(cut).toBe('x'.repeat(119));
      expect(await titleAfter((peer, id) => say(peer, id, `${'x'.repeat(118)}🙂 and more`))).toBe(
        `${'x'.repeat(118)}🙂`,
      );
    });

    test('is found in a text that was written bit by bit, also while it grows', async () => {
      const growing = async (peer: LinkedPeer, id: string): Promise<void> => {
        await send(peer, id, 'MESSAGE_START', { message_id: 'm' });
        await send(peer, id, 'MESSAGE_PART', { message_id: 'm', text: 'One ' });
        await send(peer, id, 'MESSAGE_PART', { message_id: 'm', text: 'two\nthree' });
      };
      expect(await titleAfter(growing)).toBe('One two');
      const whole = async (peer: LinkedPeer, id: string): Promise<void> => {
        await growing(peer, id);
        await send(peer, id, 'MESSAGE_END', { message_id: 'm' });
      };
      expect(await titleAfter(whole)).toBe('One two');
    });

    test('is not that of a message that was taken back', async () => {
      const taken = async (peer: LinkedPeer, id: string): Promise<void> => {
        await settled(peer, peer.send({ type: 'MESSAGE', transaction: id, id: 'm', payload: 'my password' }));
        await send(peer, id, 'MESSAGE_UPDATE', { message_id: 'm', delete: true });
      };
      expect(await titleAfter(taken)).toBeUndefined();
    });

    test('goes with its line: then it is the first that is kept', async () => {
      const { enter } = testServer({ tools: [mute], history: { windowSize: 2 } });
      const peer = await enter();
      const { id } = await start(peer, 'mute');
      for (const text of ['one', 'two', 'three']) await say(peer, id, text);
      expect(titleIn(await answerTo(peer, peer.send({ type: 'TRANSACTION_LIST' })))).toBe('two');
    });

    test('is told only to who may read it', async () => {
      let rights: Partial<HAIPUser> = {};
      const authenticate = ({ user }: { user: string }) => userOf(user, user === 'eve' ? rights : {});
      const { enter } = testServer({ tools: [mute], authenticate });
      const ada = await enter('ada');
      const { id } = await start(ada, 'mute');
      await say(ada, id, 'between us');
      await join(await enter('eve'), id);
      const listed = async () => {
        const eve = await enter('eve');
        return (await answerTo(eve, eve.send({ type: 'TRANSACTION_LIST' }))).payload.transactions;
      };
      expect(await listed()).toMatchObject([{ transaction: id, title: 'between us' }]);
      rights = { permissions: {} };
      expect(await listed()).toMatchObject([{ transaction: id }]);
      expect((await listed())[0].title).toBeUndefined();
    });

    test('A33: costs the bytes that were read for it', async () => {
      const { enter } = testServer({ tools: [mute], remoteAddress: '192.0.2.1' });
      const peer = await enter();
      for (let n = 0; n < 20; n++) await say(peer, (await start(peer, 'mute')).id, 'x'.repeat(200_000));
      await answerTo(peer, peer.send({ type: 'TRANSACTION_LIST' }));
      expect(await codeOf(peer, peer.send({ type: 'TRANSACTION_LIST' }))).toBe('RATE_LIMITED');
    });
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
    await start(peer);
    history.failNext('read');
    expect(await codeOf(peer, peer.send({ type: 'TRANSACTION_LIST' }))).toBe('OVERLOADED');
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

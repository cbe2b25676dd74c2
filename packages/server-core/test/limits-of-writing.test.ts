import type { Tool } from '@haip/protocol';
import { expect, test } from 'vitest';
import { codeOf, entriesOf, join, settled, start, testServer } from './support.ts';

/** 20 kB that are written with 100 kB: each number takes 21 digits. */
const growing = `[${Array.from({ length: 4_000 }, () => '1e20').join(',')}]`;

function growingText(id: string, transaction: string, session: string, seq: number): string {
  return `{"id":"${id}","transaction":"${transaction}","session":"${session}","seq":"${seq}","ts":"0","channel":"USER","type":"MESSAGE","payload":${growing}}`;
}

test('A32: a payload that grows over the limit when it is written is refused, so that nobody is sent what they cannot take', async () => {
  const { enter } = testServer({ limits: { maxTextBytes: 50_000 } });
  const ada = await enter('ada');
  const { id } = await start(ada);
  const before = ada.send({ type: 'PING' });
  ada.sendText(growingText('poison', id, ada.session, Number(before.seq) + 1));

  expect(await codeOf(ada, { id: 'poison' })).toBe('MESSAGE_TOO_LARGE');
  const eve = await enter('eve');
  await join(eve, id);
  await settled(eve, eve.send({ type: 'PING' }));
  expect(entriesOf(eve).filter(({ type }) => type === 'MESSAGE')).toEqual([]);
});

test('A32: params of a start have a limit of their own, as they outlive the messages', async () => {
  const { enter } = testServer({ limits: { maxParamsBytes: 100 } });
  const ada = await enter('ada');
  const startWith = (note: string) =>
    ada.send({
      type: 'TRANSACTION_START',
      transaction: `ref-${note.length}`,
      payload: { toolName: 'echo', params: { note } },
    });

  expect(await codeOf(ada, startWith('x'.repeat(100 - '{"note":""}'.length)))).toBeUndefined();
  expect(await codeOf(ada, startWith('x'.repeat(101 - '{"note":""}'.length)))).toBe('MESSAGE_TOO_LARGE');
});

test('A32: so many messages may be open in a transaction, and one more when one has ended', async () => {
  const { enter } = testServer({ limits: { maxOpenStreams: 2 } });
  const ada = await enter('ada');
  const { id } = await start(ada);
  const write = (type: string, message_id: string) => {
    const sent = ada.send({ type, transaction: id, payload: { message_id } });
    return Promise.race([codeOf(ada, sent), settled(ada, sent).then(() => undefined)]);
  };
  for (const message of ['a', 'b']) expect(await write('MESSAGE_START', message)).toBeUndefined();

  const third = ada.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'c' } });

  expect(await codeOf(ada, third)).toBe('RUN_LIMIT_EXCEEDED');
});

test('a message settled in the breath in which its connection ends is answered all the same', async () => {
  const answered: unknown[] = [];
  const tool: Tool<unknown> = {
    name: 'tool',
    async onMessage(_turn, input) {
      answered.push(input);
    },
  };
  const { enter, clock, server } = testServer({ tools: [tool] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  ada.send({ type: 'MESSAGE', transaction: id, payload: 'last words' });
  // Eleven errors in the same read: the budget is spent and the connection closed.
  for (let i = 0; i < 11; i++) ada.sendText('{');
  await ada.closed;
  await clock.settle();

  expect(answered).toEqual(['last words']);
  expect(server.transactions).toBe(0);
});

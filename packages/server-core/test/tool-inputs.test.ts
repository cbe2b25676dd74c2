import type { Tool } from '@haip/protocol';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { answerTo, errorsOf, say, seeEntry, settled, start, testServer } from './support.ts';

describe("a tool's input", () => {
  const schemas: [string, NonNullable<Tool<unknown>['input']>][] = [
    ['at once', v.object({ n: v.number() })],
    [
      'later',
      v.pipeAsync(
        v.object({ n: v.number() }),
        v.checkAsync(async ({ n }) => n > 0),
      ),
    ],
  ];
  test.each(schemas)(
    'that does not fit its schema, which says so %s, is INVALID_PAYLOAD and not stored',
    async (_, input) => {
      const tool: Tool<unknown> = { name: 'tool', input, onMessage: (turn, value) => turn.reply(value as never) };
      const { enter } = testServer({ tools: [tool] });
      const ada = await enter();
      const { id } = await start(ada, 'tool');
      const wrong = await answerTo(ada, ada.send({ type: 'MESSAGE', transaction: id, payload: { n: 'CANARY' } }));
      ada.send({ type: 'MESSAGE', transaction: id, payload: { n: 7, m: 8 } });
      const reply = await seeEntry(ada, { type: 'MESSAGE' });

      expect(wrong.payload).toMatchObject({ code: 'INVALID_PAYLOAD', retry: false, expected: "the tool's input at n" });
      expect(JSON.stringify(wrong)).not.toContain('CANARY');
      expect(reply).toMatchObject({ seq: '3', payload: { n: 7 } });
    },
  );

  const broken: [string, () => unknown][] = [
    ['throws', () => expect.unreachable('CANARY')],
    ['rejects', () => Promise.reject(new Error('CANARY'))],
  ];
  test.each(broken)('F40: whose schema %s is INVALID_PAYLOAD', async (_, validate) => {
    const input = { '~standard': { version: 1, vendor: 'test', validate } } as never;
    const { enter, logged } = testServer({ tools: [{ name: 'tool', input, onMessage: () => expect.unreachable() }] });
    const ada = await enter();
    const { id } = await start(ada, 'tool');

    await expect(say(ada, id, 'x')).rejects.toThrow('INVALID_PAYLOAD');
    expect(JSON.stringify(ada.received)).not.toContain('CANARY');
    expect(logged.map(({ event }) => event)).toEqual(['input schema threw']);
  });

  test('that came as a stream and does not fit ends its turn with INVALID_PAYLOAD', async () => {
    const { enter } = testServer({ tools: [{ name: 'tool', input: v.pipe(v.string(), v.maxLength(3)) }] });
    const ada = await enter();
    const { id } = await start(ada, 'tool');
    ada.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'm', text: 'too long' } });
    ada.send({ type: 'MESSAGE_END', transaction: id, payload: { message_id: 'm' } });
    await settled(ada, ada.send({ type: 'PING' }));

    expect(errorsOf(ada)).toEqual([]);
  });
});

// What a tool writes in one turn of the event loop is one part of the log; and nothing of it is lost unsaid.

import type { HistoryStore, JsonObject, Turn } from '@haip/protocol';
import { fakeClock, memoryLink, rawPeer, settle } from '@haip/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HAIPServer } from '../src/server.ts';
import { bothStores, type HeldStore, heldStore, testHistory } from './stores.ts';
import { entriesOf, seeEntry, start, testServer, times, userOf } from './support.ts';
import { toolThat } from './tools.ts';

/** Ada asks a tool on a server whose turns are those of the event loop; gives all that is in the log after her message. */
async function answered(tool: ReturnType<typeof toolThat>, history: HistoryStore = testHistory(fakeClock())) {
  const server = new HAIPServer({ history });
  onTestFinished(() => server.close());
  server.authenticate(() => userOf('ada'));
  server.registerTool(tool);
  const link = memoryLink();
  void server.accept(link.server, { transport: 'memory', headers: {} });
  const ada = Object.assign(rawPeer(link.client), { link });
  await ada.hai({ auth: {} });
  const { id } = await start(ada, 'tool');
  ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
  await seeEntry(ada, { type: 'RUN_FINISHED' });
  return entriesOf(ada).map(({ type, payload }): [type: string, text: unknown] => [
    type,
    typeof payload === 'string' ? payload : (payload as JsonObject)['text'],
  ]);
}

const partsOf = (entries: readonly [string, unknown][]): string[] =>
  entries.filter(([type]) => type === 'MESSAGE_PART').map(([, text]) => text as string);

describe.each(bothStores)('a message that is written word by word, over %s', (_, makeStore) => {
  test('[READ-11] gets one part for each turn of the event loop, whether its writes are awaited or not', async () => {
    const entries = await answered(
      toolThat(async (turn) => {
        const writer = await turn.stream();
        void writer.write('a ');
        void writer.write('b ');
        await settle(2);
        for (const word of ['c ', 'd ', 'e ']) void writer.write(word);
        await writer.end();
      }),
      makeStore(fakeClock()),
    );

    expect(partsOf(entries)).toEqual(['a b ', 'c d e ']);
  });

  test('[READ-11] stands in the log where it was written: nothing that was said later comes before it', async () => {
    const entries = await answered(
      toolThat(async (turn) => {
        const [one, two] = [await turn.stream(), await turn.stream()];
        void one.write('1');
        void one.write('2');
        void two.write('3');
        void one.write('4');
        void turn.reply('5');
        void two.write('6');
        const call = turn.call('search');
        void one.write('7');
        await (await call).done();
        await two.end();
      }),
      makeStore(fakeClock()),
    );
    const said = entries.filter(([type]) => !/^(RUN|TRANSACTION|MESSAGE_(START|END))/.test(type));

    expect(said.slice(0, -1)).toEqual([
      ['MESSAGE_PART', '12'],
      ['MESSAGE_PART', '3'],
      ['MESSAGE_PART', '4'],
      ['MESSAGE', '5'],
      ['MESSAGE_PART', '6'],
      ['TOOL_CALL', undefined],
      ['MESSAGE_PART', '7'],
    ]);
  });

  test('[READ-11] is whole when its tool ends in the same turn, without waiting for anything', async () => {
    const entries = await answered(
      toolThat(async (turn) => {
        const writer = await turn.stream();
        void writer.write('to ');
        void writer.write('the end');
      }),
      makeStore(fakeClock()),
    );

    expect(partsOf(entries)).toEqual(['to the end']);
    expect(entries.at(-2)?.[0]).toBe('MESSAGE_END');
  });
});

test('[READ-11] no turn gathers without bound, and no character is cut', async () => {
  const words = times(3_000, (n) => `${n}😀`);
  const entries = await answered(
    toolThat(async (turn) => {
      const writer = await turn.stream();
      for (const word of words) await writer.write(word);
    }),
  );
  const parts = partsOf(entries);

  expect(parts.join('')).toBe(words.join(''));
  expect(parts.length).toBeLessThan(20);
  for (const part of parts) {
    expect(part.length).toBeLessThan(2_100);
    expect(part.isWellFormed()).toBe(true);
  }
});

describe.each([
  ['at once', 0],
  ['late', 3],
])('text that the store fails to take %s', (_, turns) => {
  /** Ada asks a tool over a store whose next append fails when the tool says so. */
  async function asking(answer: (turn: Turn, history: HeldStore) => Promise<void>) {
    const clock = fakeClock();
    const inner = testHistory(clock);
    const slow = async (...args: Parameters<HistoryStore['append']>): Promise<void> => {
      await settle(turns);
      return inner.append(...args);
    };
    const history = heldStore(turns > 0 ? { ...inner, append: slow } : inner);
    const test = testServer({ clock, history, tools: [toolThat((turn) => answer(turn, history))] });
    const ada = await test.enter('ada');
    const { id } = await start(ada, 'tool');
    const ask = () => ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
    return { ...test, ada, id, ask };
  }

  const lost = 'history: append failed, as the test wants';
  const failed = { code: 'TOOL_EXECUTION_ERROR', message: 'the tool failed' };

  test('[READ-11] rejects every later write and the end of that message, awaited or not, and leaves no hole', async () => {
    const told: unknown[] = [];
    const tell = (what: string) => (error: Error) => told.push([what, error.message]);
    const { ada, ask, logged } = await asking(async (turn, history) => {
      const [writer, other] = [await turn.stream(), await turn.stream()];
      await writer.write('kept');
      await settle(5);
      history.failNext('append');
      await writer.write('lost').catch(tell('lost'));
      await settle(5);
      void writer.write('not heard');
      await writer.write('second').catch(tell('second'));
      await other.write('of another');
      await writer.end().catch(tell('end'));
      await writer.end().catch(tell('end again'));
      await writer.write('third').catch(tell('third'));
      await other.end();
    });
    ask();
    expect((await seeEntry(ada, { type: 'RUN_ERROR' })).payload).toEqual(failed);

    expect(told).toEqual([
      ['second', lost],
      ['end', lost],
      ['end again', lost],
      ['third', 'the message has ended: nothing more can be written to it'],
    ]);
    expect(partsOf(entriesOf(ada).map(({ type, payload }) => [type, payload.text]))).toEqual(['kept', 'of another']);
    expect(entriesOf(ada).filter(({ type }) => type === 'MESSAGE_END')).toHaveLength(2);
    expect(logged.filter(({ level }) => level === 'error').map(({ event }) => event)).toEqual(['text not stored']);
  });

  test.each(['end', 'reply', 'nothing', 'nothing at once'] as const)(
    '[READ-11] makes its run a failed one, whatever the tool does next: %s',
    async (next) => {
      const { ada, ask } = await asking(async (turn, history) => {
        const writer = await turn.stream();
        history.failNext('append');
        await writer.write('lost');
        if (next === 'nothing at once') return;
        await settle(1);
        if (next === 'end') await writer.end();
        if (next === 'reply') await turn.reply('all the same');
      });
      ask();

      expect((await seeEntry(ada, { type: 'RUN_ERROR' })).payload).toEqual(failed);
      expect(entriesOf(ada).filter(({ type }) => type === 'MESSAGE_END')).toHaveLength(1);
    },
  );

  test('[READ-11] makes the run a failed one also when its end has to wait for the store', async () => {
    const { ada, ask, clock } = await asking(async (turn, history) => {
      const writer = await turn.stream();
      history.failNext('append');
      await writer.write('lost');
      await settle(5);
      history.failNext('append');
    });
    ask();
    await settle(20);
    await clock.advance(5_000);

    expect((await seeEntry(ada, { type: 'RUN_ERROR' })).payload).toEqual(failed);
  });

  test('[READ-11] is not written twice by a tool that tries again', async () => {
    const { ada, ask } = await asking(async (turn, history) => {
      const writer = await turn.stream();
      history.failNext('append');
      await writer.write('a');
      await settle(1);
      for (let n = 0; n < 3; n++) await writer.write('b').catch(() => {});
    });
    ask();
    await seeEntry(ada, { type: 'RUN_ERROR' });

    expect(partsOf(entriesOf(ada).map(({ type, payload }) => [type, payload.text]))).toEqual([]);
  });
});

describe.each(bothStores)('over %s', (_, makeStore) => {
  test('[READ-11] a text of many parts keeps its place, and its end waits for all of it', async () => {
    const long = 'A'.repeat(100_000);
    const entries = await answered(
      toolThat(async (turn) => {
        const writer = await turn.stream();
        void writer.write('before ');
        void writer.write(long);
        void writer.write(' after');
        void turn.reply('reply');
        await writer.end();
      }),
      makeStore(fakeClock()),
    );
    const said = entries.filter(([type]) => type === 'MESSAGE' || type === 'MESSAGE_PART');

    expect(partsOf(entries).join('')).toBe(`before ${long} after`);
    expect(said.at(-1)).toEqual(['MESSAGE', 'reply']);
  });

  test('[READ-11] a tool finds in the conversation what it wrote', async () => {
    const found: unknown[] = [];
    await answered(
      toolThat(async (turn) => {
        const writer = await turn.stream();
        void writer.write('hello');
        found.push((await turn.conversation()).messages.at(-1)?.text);
      }),
      makeStore(fakeClock()),
    );

    expect(found).toEqual(['hello']);
  });

  test('[READ-11] a thousand replies at once come in their order', async () => {
    const numbers = times(1_000, String);
    const entries = await answered(
      toolThat(async (turn) => {
        await (await turn.stream()).end();
        await Promise.all(numbers.map((n) => turn.reply(n)));
      }),
      makeStore(fakeClock()),
    );

    expect(entries.filter(([type]) => type === 'MESSAGE').map(([, text]) => text)).toEqual(numbers);
  });
});

import type { Turn } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { entriesOf, join, say, seeEntry, start, testServer } from './support.ts';
import { toolThat } from './tools.ts';

describe('what a tool may not do', () => {
  test('write after its turn is over: each way of writing rejects, nothing is stored', async () => {
    let kept: Turn | undefined;
    let writer: Awaited<ReturnType<Turn['stream']>> | undefined;
    const tool = toolThat(async (turn) => {
      kept = turn;
      writer = await turn.stream();
    });
    const { enter, history } = testServer({ tools: [tool] });
    const ada = await enter();
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'go');
    const { seq } = await seeEntry(ada, { type: 'RUN_FINISHED' });
    await expect(kept?.reply('late')).rejects.toThrow('over');
    await expect(kept?.replyAudio({ bytes: new Uint8Array(1), mime: 'a/b' })).rejects.toThrow('over');
    await expect(kept?.stream()).rejects.toThrow('over');
    await expect(writer?.write('late')).rejects.toThrow('over');
    await writer?.end();

    expect(await history.head(id)).toMatchObject({ last: Number(seq) });
  });

  test('write more than 1 MiB of text: the message is interrupted, the write rejects', async () => {
    let failure: unknown;
    const tool = toolThat(async (turn) => {
      const writer = await turn.stream();
      await writer.write('a'.repeat(1024 * 1024));
      await writer.write('b').catch((error) => {
        failure = error;
      });
      await turn.reply('still here');
    });
    const { enter } = testServer({ tools: [tool] });
    const ada = await enter();
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'go');
    await seeEntry(ada, { payload: 'still here' });
    const end = await seeEntry(ada, { type: 'MESSAGE_END' });

    expect(failure).toBeInstanceOf(RangeError);
    expect(end.payload).toEqual({ message_id: end.payload.message_id, start_seq: '4', status: 'interrupted' });
  });

  test('write more bytes than the limit: they are counted as UTF-8, the last one that fits is taken', async () => {
    const written: string[] = [];
    const tool = toolThat(async (turn) => {
      const writer = await turn.stream();
      for (const text of ['é€🎈', 'é', 'x']) await writer.write(text).then(() => written.push(text));
    });
    const { enter } = testServer({ tools: [tool], limits: { maxStreamBytes: 11 } });
    const ada = await enter();
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'go');
    const end = await seeEntry(ada, { type: 'MESSAGE_END' });

    expect(written).toEqual(['é€🎈', 'é']);
    expect(end.payload.status).toBe('interrupted');
  });
});

test('a long text goes in parts that fit an envelope, whole characters each, and stays in them', async () => {
  const text = `x${'🎈'.repeat(80_000)}`;
  const tool = toolThat(async (turn) => (await turn.stream()).write(text));
  const { enter } = testServer({ tools: [tool] });
  const ada = await enter();
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');
  await seeEntry(ada, { type: 'RUN_FINISHED' });
  const late = await enter('ada');
  await join(late, id);
  await seeEntry(late, { type: 'RUN_FINISHED' });
  for (const peer of [ada, late]) {
    const parts = entriesOf(peer).filter(({ type }) => type === 'MESSAGE_PART');
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.map(({ payload }) => payload.text).join('')).toBe(text);
    for (const { payload } of parts) expect(payload.text.isWellFormed()).toBe(true);
  }

  expect((await seeEntry(late, { type: 'MESSAGE_END' })).payload).not.toHaveProperty('text');
});

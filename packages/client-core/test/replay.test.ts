import { describe, expect, it } from 'vitest';
import type { Transaction } from '../src/index.ts';
import { type ServerPeer, setUp } from './scripted-server.ts';

async function positions(replay: ReturnType<Transaction['getReplayWindow']>): Promise<number[]> {
  const all: number[] = [];
  for await (const { position } of replay) all.push(position);
  return all;
}

async function answer(peer: ServerPeer, entries: number[], next?: number) {
  const asked = await peer.until('REPLAY_REQUEST');
  for (const position of entries) peer.entry(position);
  const payload = { kind: 'replayed', first: '1', to: String(entries.at(-1) ?? 0) };
  const info = next === undefined ? payload : { ...payload, next: String(next) };
  peer.send({ type: 'INFO', transaction: 'T', related_id: asked.id, payload: info });
  return asked;
}

async function behind(count: number) {
  const all = setUp();
  const { peer, chat } = await all.started();
  for (let position = 2; position <= count; position++) peer.entry(position);
  await all.clock.settle();
  return { ...all, peer, chat };
}

describe('getReplayWindow', () => {
  it('reads page by page, while live entries go on, and moves nothing [REPLAY-1] [REPLAY-2] [REPLAY-4]', async () => {
    const { client, peer, chat } = await behind(4);
    const live: number[] = [];
    chat.on('entry', ({ position }) => live.push(position));
    const reading = positions(chat.getReplayWindow(2, 4));
    const asked = await peer.until('REPLAY_REQUEST');
    expect(asked).toMatchObject({ transaction: 'T', payload: { from_seq: '2', to_seq: '4' } });
    peer.entry(2);
    peer.entry(5);
    peer.entry(3);
    const payload = { kind: 'replayed', first: '1', to: '3', next: '4' };
    peer.send({ type: 'INFO', transaction: 'T', related_id: asked.id, payload });
    expect((await answer(peer, [4])).payload).toEqual({ from_seq: '4', to_seq: '4' });
    expect(await reading).toEqual([2, 3, 4]);
    expect(live).toEqual([5]);
    expect(chat.cursor.position).toBe(5);
    expect(client.stats.duplicates).toBe(0);
    expect(chat.conversation.messages).toHaveLength(4);
  });

  it('without from it begins with what is still kept [REPLAY-3]', async () => {
    const { peer, chat } = await behind(9);
    const reading = positions(chat.getReplayWindow());
    const asked = await peer.until('REPLAY_REQUEST');
    expect(asked.payload).toEqual({ from_seq: '1' });
    peer.error(asked, { code: 'REPLAY_TOO_OLD', retry: false, expected: 'from_seq 7 or later' });
    expect((await answer(peer, [7, 8, 9])).payload).toEqual({ from_seq: '7' });
    expect(await reading).toEqual([7, 8, 9]);
  });

  it('with a from that is too old it rejects naming the first position that is kept [REPLAY-3]', async () => {
    const { peer, chat } = await behind(9);
    const reading = expect(positions(chat.getReplayWindow(3))).rejects.toMatchObject({
      name: 'ReplayTooOldError',
      code: 'REPLAY_TOO_OLD',
      firstAvailable: 7,
    });
    const asked = await peer.until('REPLAY_REQUEST');
    peer.error(asked, { code: 'REPLAY_TOO_OLD', retry: false, expected: 'from_seq 7 or later' });
    await reading;
  });

  it('an empty range gives nothing', async () => {
    const { peer, chat } = await behind(3);
    expect(await positions(chat.getReplayWindow(5, 4))).toEqual([]);
    const reading = positions(chat.getReplayWindow(9));
    await answer(peer, []);
    expect(await reading).toEqual([]);
  });

  it('F4: a cut in the middle of a page asks for that page again, and nothing comes twice', async () => {
    const { clock, peer, chat, transport, reconnected } = await behind(4);
    const reading = positions(chat.getReplayWindow());
    const asked = await peer.until('REPLAY_REQUEST');
    peer.entry(1);
    peer.entry(2);
    await clock.settle();
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    const repeated = await answer(again, [1, 2, 3, 4]);
    expect(repeated.id).toBe(asked.id);
    expect(await reading).toEqual([1, 2, 3, 4]);
  });

  it('one at a time: a second one asks when the first has its answer [REPLAY-5]', async () => {
    const { clock, peer, chat } = await behind(4);
    const first = positions(chat.getReplayWindow(1, 2));
    const second = positions(chat.getReplayWindow(3, 4));
    await clock.settle();
    expect(peer.types.filter((type) => type === 'REPLAY_REQUEST')).toHaveLength(1);
    await answer(peer, [1, 2]);
    await answer(peer, [3, 4]);
    expect(await first).toEqual([1, 2]);
    expect(await second).toEqual([3, 4]);
  });

  it('an aborted one rejects at once, and the next waits until its answer is over', async () => {
    const { clock, peer, chat } = await behind(4);
    const controller = new AbortController();
    const first = expect(positions(chat.getReplayWindow(1, 2, { signal: controller.signal }))).rejects.toThrow(
      'enough',
    );
    const asked = await peer.until('REPLAY_REQUEST');
    controller.abort(new Error('enough'));
    await first;
    const second = positions(chat.getReplayWindow(3, 4));
    await clock.settle();
    peer.entry(1);
    peer.send({
      type: 'INFO',
      transaction: 'T',
      related_id: asked.id,
      payload: { kind: 'replayed', first: '1', to: '2' },
    });
    await answer(peer, [3, 4]);
    expect(await second).toEqual([3, 4]);
  });

  it('works on a transaction that has ended: then every entry is the answer [REPLAY-6]', async () => {
    const { clock, peer, chat } = await behind(2);
    peer.entry(3, { type: 'TRANSACTION_END', payload: {} });
    await clock.settle();
    const reading = positions(chat.getReplayWindow());
    await answer(peer, [1, 2, 3]);
    expect(await reading).toEqual([1, 2, 3]);
  });

  it('goes on when the transaction ends meanwhile, and so does another beside it [REPLAY-6]', async () => {
    const { clock, peer, chat } = await behind(2);
    const first = positions(chat.getReplayWindow(1, 2));
    const second = positions(chat.getReplayWindow(1, 3));
    const asked = await peer.until('REPLAY_REQUEST');
    peer.entry(1);
    peer.entry(3, { type: 'TRANSACTION_END', payload: {} });
    await clock.settle();
    expect(chat.closed).toEqual({ reason: undefined });
    peer.entry(2);
    peer.send({
      type: 'INFO',
      transaction: 'T',
      related_id: asked.id,
      payload: { kind: 'replayed', first: '1', to: '2' },
    });
    expect(await first).toEqual([1, 2]);
    await answer(peer, [1, 2, 3]);
    expect(await second).toEqual([1, 2, 3]);
  });

  it('is refused when the log became another one meanwhile', async () => {
    const { peer, chat } = await behind(4);
    const reading = expect(positions(chat.getReplayWindow())).rejects.toMatchObject({ code: 'restarted' });
    const asked = await peer.until('REPLAY_REQUEST');
    peer.verdict({ verdict: 'gap', epoch: 'F', first: '1', last: '0' });
    const payload = { kind: 'replayed', first: '1', to: '0' };
    peer.send({ type: 'INFO', transaction: 'T', related_id: asked.id, payload });
    await reading;
  });

  it('gives audio with its bytes', async () => {
    const { peer, chat } = await behind(1);
    const replay = chat.getReplayWindow();
    const reading = replay.next();
    const asked = await peer.until('REPLAY_REQUEST');
    const audio = { type: 'AUDIO', transaction: 'T', seq: '1' };
    peer.send({ ...audio, bin_mime: 'audio/webm', payload: { mime: 'audio/webm' } }, new Uint8Array([1, 2]));
    peer.send({
      type: 'INFO',
      transaction: 'T',
      related_id: asked.id,
      payload: { kind: 'replayed', first: '1', to: '1' },
    });
    expect((await reading).value).toMatchObject({ bytes: new Uint8Array([1, 2]), mime: 'audio/webm' });
  });
});

describe('a replay of a transaction that was left', () => {
  it('rejects, and what comes live meanwhile is none of its answer', async () => {
    const { clock, peer, chat } = await behind(4);
    const reading = expect(positions(chat.getReplayWindow(1, 2))).rejects.toMatchObject({ code: 'closed' });
    const asked = await peer.until('REPLAY_REQUEST');
    const leaving = chat.leave();
    const left = await peer.until('TRANSACTION_LEAVE');
    peer.receipt(left, 5);
    await leaving;
    await reading;
    peer.entry(6);
    peer.entry(1);
    peer.entry(2);
    const payload = { kind: 'replayed', first: '1', to: '2' };
    peer.send({ type: 'INFO', transaction: 'T', related_id: asked.id, payload });
    await clock.settle();
    expect(chat.cursor.position).toBe(5);
  });

  it('I10: that goes on page by page ends at what was read: nothing is left out of its middle', async () => {
    const { peer, chat } = await behind(4);
    const reading = chat.getReplayWindow(1);
    const first = reading.next();
    await answer(peer, [1, 2], 3);
    expect((await first).value).toMatchObject({ position: 1 });
    const leaving = chat.leave();
    peer.receipt(await peer.until('TRANSACTION_LEAVE'), 5);
    await leaving;
    const rest = positions(reading);
    expect((await answer(peer, [3, 4, 5], 6)).payload).toEqual({ from_seq: '3', to_seq: '5' });
    expect(await rest).toEqual([2, 3, 4, 5]);
  });
});

it('a replay does not go on in another log than it began in', async () => {
  const { clock, peer, chat } = await behind(4);
  const reading = expect(positions(chat.getReplayWindow())).rejects.toMatchObject({ code: 'restarted' });
  await answer(peer, [1, 2], 3);
  peer.verdict({ verdict: 'gap', epoch: 'F', first: '1', last: '4' });
  for (const position of [1, 2, 3, 4]) peer.entry(position);
  await clock.settle();
  await answer(peer, [3, 4]);
  await reading;
});

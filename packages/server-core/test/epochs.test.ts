import { subjectOf, type TransactionRecord } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { draftFrom, heldStore, replaceableStore, testHistory } from './stores.ts';
import { isPosition, join, say, see, seeEntry, start, testServer, times } from './support.ts';
import { mute, toolThat } from './tools.ts';

const answering = toolThat((turn, text) => turn.reply(`re: ${text}`));

describe.each([
  ['a shorter', 2],
  ['a longer', 40],
])('%s log of another epoch in the place of the one that is read', (_, count) => {
  /** Ada has talked for a while; then her message is the last thing before the store is another one. */
  async function replaced() {
    const clock = fakeClock();
    const [old, fresh] = [testHistory(clock), testHistory(clock)];
    const history = replaceableStore(old);
    const test = testServer({ clock, history, tools: [answering] });
    const ada = await test.enter('ada');
    const { id } = await start(ada, 'tool');
    for (const text of ['a', 'b', 'c']) await say(ada, id, text);
    await seeEntry(ada, { payload: 're: c' });
    const record = (await old.get(id)) as TransactionRecord;
    const { epoch } = await fresh.create(record, draftFrom('ada', 'TRANSACTION_START'));
    await fresh.append(
      id,
      times(count, (n) => draftFrom('eve', 'MESSAGE', `new ${n}`)),
    );
    history.replaceAfterNextAppend(fresh);
    const before = ada.received.length;
    const lost = ada.send({ type: 'MESSAGE', transaction: id, payload: 'lost' });
    await seeEntry(ada, { payload: `new ${count - 1}` });
    const since = () => ada.received.slice(before).filter(({ transaction }) => transaction === id);
    return { ...test, ada, id, epoch, fresh, lost, since };
  }

  test('is said first, unasked, and then read from its first entry, none of them missing', async () => {
    const { since, epoch } = await replaced();
    const [verdict, ...after] = since();

    expect([verdict?.type, verdict?.payload]).toEqual([
      'TRANSACTION_JOIN',
      { verdict: 'gap', epoch, first: '1', last: String(count + 1) },
    ]);
    expect(after.filter(isPosition)).toEqual([]);
    expect(after.slice(0, count + 1).map(({ seq, payload }) => [Number(seq), payload])).toEqual([
      [1, {}],
      ...times(count, (n) => [n + 2, `new ${n}`]),
    ]);
  });

  test('is no place for a receipt of what was stored in the old one', async () => {
    const { since, lost, ada } = await replaced();

    expect(since().filter(({ related_id }) => related_id === lost.id)).toEqual([]);
    expect((await see(ada, ({ ack }) => ack === lost.seq)).ack).toBe(lost.seq);
  });

  test('is answered by the agent, each message once', async () => {
    const { ada, fresh, id, clock } = await replaced();
    await seeEntry(ada, { payload: `re: new ${count - 1}` });
    await clock.settle();
    const page = await fresh.read(id, { from: 1 });

    expect(page?.entries.filter(({ user }) => user === null).map(({ payload }) => payload)).toEqual(
      times(count, (n) => `re: new ${n}`),
    );
  });
});

test('an agent that is behind finds another log in the place of the one it knew, and answers that', async () => {
  const clock = fakeClock();
  const [old, fresh] = [testHistory(clock), testHistory(clock)];
  const history = replaceableStore(old);
  const gate = Promise.withResolvers<void>();
  const slow = toolThat(async (turn, text) => {
    if (text === 'first') await gate.promise;
    await turn.reply(`re: ${text}`);
  });
  const { enter } = testServer({ clock, history, tools: [slow] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'first');
  // More than a log keeps for those who are behind: the agent must ask the store.
  for (let n = 0; n < 700; n++) await say(ada, id, `${n}`);
  const record = (await old.get(id)) as TransactionRecord;
  await fresh.create(record, draftFrom('ada', 'TRANSACTION_START'));
  await fresh.append(id, [draftFrom('eve', 'MESSAGE', 'new')]);
  history.replace(fresh);
  gate.resolve();

  await seeEntry(ada, { payload: 're: new' });
  const page = await fresh.read(id, { from: 1 });
  expect(page?.entries.map(({ payload }) => payload)).toContain('re: new');
});

test('a turn that began in another log writes nothing into the one that took its place', async () => {
  const clock = fakeClock();
  const [old, fresh] = [testHistory(clock), testHistory(clock)];
  const history = replaceableStore(old);
  const gate = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const slow = toolThat(async (turn) => {
    turn.signal.addEventListener('abort', () => ended.resolve());
    const writer = await turn.stream();
    await gate.promise;
    await writer.write('late').finally(ended.resolve);
  });
  const { enter } = testServer({ clock, history, tools: [slow] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');
  await seeEntry(ada, { type: 'MESSAGE_START' });
  const record = (await old.get(id)) as TransactionRecord;
  await fresh.create(record, draftFrom('ada', 'TRANSACTION_START'));
  // Another node answers there, under a fence of the same number.
  expect((await fresh.lease(id, 'another', 30_000))?.fence).toBe(1);
  const payload = { message_id: 'm' };
  const begun = { ...draftFrom('', 'MESSAGE_START', payload), user: null };
  await fresh.append(id, [{ ...begun, subject: subjectOf('MESSAGE_START', payload, '', undefined) }], 1);
  history.replace(fresh);
  ada.send({ type: 'MESSAGE', transaction: id, payload: 'wake' });
  await seeEntry(ada, { payload: 'wake' });
  gate.resolve();
  await ended.promise;
  await clock.settle();

  const page = await fresh.read(id, { from: 1 });
  expect(page?.entries.filter(({ user }) => user === null).map(({ type }) => type)).toEqual(['MESSAGE_START']);
});

test('[JOIN-5] a cursor is judged by the log that there is when it is answered, not by the one it was asked in', async () => {
  const clock = fakeClock();
  const [old, fresh] = [testHistory(clock), testHistory(clock)];
  const replaceable = replaceableStore(old);
  const history = heldStore(replaceable);
  const { enter } = testServer({ clock, history, tools: [mute] });
  const ada = await enter('ada');
  const { id, epoch } = await start(ada, 'mute');
  await say(ada, id, 'a');
  const record = (await old.get(id)) as TransactionRecord;
  const { epoch: next } = await fresh.create(record, draftFrom('ada', 'TRANSACTION_START'));
  const eve = await enter('eve');
  // To be stored is that she became a member; while that waits, the store becomes another one, and its log is read.
  const release = history.hold(id);
  const verdict = join(eve, id, { epoch, seq: '1' });
  await clock.settle();
  replaceable.replace(fresh);
  await join(ada, id);
  release();

  expect((await verdict).payload).toMatchObject({ verdict: 'gap', epoch: next, first: '1' });
  expect(await seeEntry(eve, { type: 'TRANSACTION_START' })).toMatchObject({ seq: '1' });
});

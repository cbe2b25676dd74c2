import { type ConversationEntry, eventTypes, judgePosition } from '@haip/protocol';
import { settle } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setUp } from './scripted-server.ts';

describe('the position rule', () => {
  it('F41: a hole ends the connection with 1002, hands nothing over, and resumes from what was read [READ-2]', async () => {
    const { client, clock, started, reconnected } = setUp();
    const { peer, chat } = await started();
    const positions: number[] = [];
    chat.on('entry', ({ position }) => positions.push(position));
    peer.entry(2);
    peer.entry(4);
    peer.entry(3);
    await clock.settle();
    expect(positions).toEqual([2]);
    expect((await peer.raw.closed).code).toBe(1002);
    expect(client.stats.faults).toBe(1);
    const again = await reconnected();
    const hai = await again.welcome();
    expect(hai.payload.resume).toEqual([{ transaction: 'T', epoch: 'E', seq: '2' }]);
    expect(hai.payload.resume_token).toBe('secret');
    again.verdict({ verdict: 'resumed', epoch: 'E', seq: '2', last: '4' }, { related_id: hai.id });
    again.entry(3);
    again.entry(4);
    await clock.settle();
    expect(positions).toEqual([2, 3, 4]);
    expect(chat.conversation.gaps).toEqual([]);
  });

  it('a fault of the server gives nothing back: what was written is sent again', async () => {
    const { started, reconnected } = setUp();
    const { peer, chat } = await started();
    const sending = chat.sendText('Hello');
    await peer.until('MESSAGE');
    peer.entry(5);
    const again = await reconnected();
    await again.welcome();
    const sent = await again.until('MESSAGE');
    again.ack(sent.seq);
    await sending;
  });

  it('an overlap is a fault too [READ-2]', async () => {
    const { client, clock, started } = setUp();
    const { peer } = await started();
    peer.entry(2);
    peer.send({
      type: 'MESSAGE_PART',
      transaction: 'T',
      from_seq: '2',
      seq: '3',
      payload: { message_id: 'a', text: 'x' },
    });
    await clock.settle();
    expect(client.stats.faults).toBe(1);
  });

  it('F42: what was taken before is dropped and counted, never handed over again', async () => {
    const { client, clock, started } = setUp();
    const { peer, chat } = await started();
    const positions: number[] = [];
    chat.on('entry', ({ position }) => positions.push(position));
    for (const position of [2, 2, 1, 3, 2]) peer.entry(position);
    await clock.settle();
    expect(positions).toEqual([2, 3]);
    expect(client.stats).toEqual({ duplicates: 3, faults: 0, connections: 1 });
  });

  it('a merged frame covers its positions, a notice those that are stepped over [READ-1] [READ-3] [READ-7]', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const start = { message_id: 'a' };
    peer.entry(2, { type: 'MESSAGE_START', payload: start });
    peer.entry(5, { type: 'MESSAGE_PART', from_seq: '3', payload: { message_id: 'a', text: 'abc' } });
    peer.send({ type: 'INFO', transaction: 'T', from_seq: '6', seq: '9', payload: { kind: 'position' } });
    peer.entry(10, { type: 'MESSAGE_END', payload: { message_id: 'a', start_seq: '2' } });
    await clock.settle();
    expect(chat.conversation.messages).toMatchObject([{ id: 'a', text: 'abc', status: 'complete', position: 2 }]);
    expect(chat.cursor).toEqual({ epoch: 'E', position: 10 });
  });

  it('a long MESSAGE_END replaces the text that was shown [READ-6]', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    peer.entry(2, { type: 'MESSAGE_START', payload: { message_id: 'a' } });
    peer.entry(3, { type: 'MESSAGE_PART', payload: { message_id: 'a', text: 'ab' } });
    peer.entry(4, { type: 'MESSAGE_END', payload: { message_id: 'a', start_seq: '2', text: 'abc' } });
    await clock.settle();
    expect(chat.conversation.messages.map(({ text }) => text)).toEqual(['abc']);
  });

  it('for any frames: what is handed over rises without a hole, and the first fault ends it', async () => {
    const span = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 2 }));
    await fc.assert(
      fc.asyncProperty(fc.array(span, { maxLength: 12 }), async (frames) => {
        const { client, started } = setUp();
        const { peer, chat } = await started();
        const handed: ConversationEntry[] = [];
        chat.on('entry', (entry) => handed.push(entry));
        let read = 1;
        let faults = 0;
        const expected: number[] = [];
        for (const [from, length] of frames) {
          const to = from + length;
          peer.send({ type: 'MESSAGE_PART', transaction: 'T', from_seq: String(from), seq: String(to), payload: {} });
          if (faults > 0) continue;
          const judged = judgePosition(read, from, to);
          if (judged === 'fault') faults++;
          if (judged !== 'take') continue;
          read = to;
          expected.push(to);
        }
        await settle();
        expect(handed.map(({ position }) => position)).toEqual(expected);
        expect(client.stats.faults).toBe(faults);
        client.disconnect();
      }),
      { numRuns: 60 },
    );
  });
});

describe('whatever a server sends', () => {
  const word = fc.constantFrom(
    'T',
    'E',
    'F',
    '1',
    '2',
    '3',
    '9',
    'resumed',
    'gap',
    'refused',
    'receipt',
    'position',
    'ack',
  );
  const payload = fc.oneof(
    fc.dictionary(
      fc.constantFrom(
        'kind',
        'verdict',
        'epoch',
        'first',
        'last',
        'seq',
        'message_id',
        'text',
        'code',
        'call_id',
        'data',
      ),
      fc.oneof(word, fc.integer(), fc.constant(null), fc.constant(true)),
    ),
    word,
    fc.constant([]),
  );
  const envelope = fc.record(
    {
      type: fc.constantFrom(...Object.keys(eventTypes).filter((type) => type !== 'HAI')),
      transaction: fc.constantFrom('T', 'U', null),
      seq: fc.constantFrom('0', '1', '2', '3', '4', '18446744073709551615'),
      from_seq: fc.constantFrom('0', '1', '2', '3'),
      ack: fc.constantFrom('0', '1', '3', '9'),
      related_id: fc.constantFrom('client-2', 'client-3', 'client-4', 'client-5', 'nobody'),
      payload,
    },
    { requiredKeys: ['type', 'payload'] },
  );

  it('F42: nothing throws, positions rise, and after disconnect nothing is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(envelope, { maxLength: 20 }), async (envelopes) => {
        const { client, clock, log, started } = setUp();
        const { peer, chat } = await started();
        let last = 1;
        chat.on('restart', () => {
          last = 0;
        });
        chat.on('gap', ({ first }) => {
          last = first - 1;
        });
        chat.on('entry', ({ position }) => {
          expect(position).toBeGreaterThan(last);
          last = position;
        });
        const waits = [chat.sendText('Hello'), client.startTransaction('echo'), chat.getReplayWindow().next()];
        const settled = Promise.allSettled(waits);
        await clock.settle();
        for (const fields of envelopes) peer.send(fields as Parameters<typeof peer.send>[0]);
        await clock.advance(1_000);
        client.disconnect();
        await settled;
        await clock.settle();
        expect(clock.pending).toBe(0);
        expect(log.filter(({ event }) => event === 'reading failed' || event === 'listener failed')).toEqual([]);
      }),
      { numRuns: 200 },
    );
  }, 30_000);
});

describe('own messages', () => {
  it('take their place by the receipt, with its position and ts, as everybody else sees them [ACK-7] [TEXT-6]', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const entries: ConversationEntry[] = [];
    chat.on('entry', (entry) => entries.push(entry));
    const sending = chat.sendText('Hello');
    const sent = await peer.until('MESSAGE');
    peer.entry(2, { payload: 'before' });
    peer.receipt(sent, 3, { ts: '77' });
    await sending;
    await clock.settle();
    expect(entries[1]).toMatchObject({
      position: 3,
      id: sent.id,
      session: 'me',
      ts: 77,
      channel: 'USER',
      type: 'MESSAGE',
      payload: 'Hello',
    });
    expect(chat.conversation.messages.map(({ text }) => text)).toEqual(['before', 'Hello']);
  });

  it('are pending until they are read, also when they are settled', async () => {
    const { started } = setUp();
    const { peer, chat } = await started();
    let changes = 0;
    chat.on('change', () => changes++);
    const sending = chat.sendText('Hello');
    expect(changes).toBe(1);
    expect(chat.pending).toMatchObject([{ type: 'MESSAGE', payload: 'Hello' }]);
    const sent = await peer.until('MESSAGE');
    peer.ack(sent.seq);
    await sending;
    expect(chat.pending).toHaveLength(1);
    peer.receipt(sent, 2);
    await chat.entries().next();
    expect(chat.pending).toHaveLength(0);
  });

  it('an entry that is one of them is taken as such: not a message of others', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const loop = chat.messages();
    void chat.sendText('mine').catch(() => {});
    const { id } = await peer.until('MESSAGE');
    peer.entry(2, { id, payload: 'mine' });
    peer.entry(3, { session: 'me', payload: 'mine from before' });
    peer.entry(4, { payload: 'theirs' });
    await clock.settle();
    expect((await loop.next()).value?.text).toBe('theirs');
    expect(chat.pending).toEqual([]);
  });

  it('a receipt for what this client does not know ends the connection; the next one brings the entry itself', async () => {
    const { clock, started, reconnected } = setUp();
    const { peer, chat } = await started();
    peer.send({ type: 'INFO', transaction: 'T', seq: '2', related_id: 'unknown', payload: { kind: 'receipt' } });
    const again = await reconnected();
    await again.welcome();
    again.verdict({ verdict: 'resumed', epoch: 'E', seq: '1', last: '2' });
    again.entry(2);
    await clock.settle();
    expect(chat.conversation.messages).toHaveLength(1);
  });

  it('a JOIN that made this user a member takes its place too, after the verdict that answered it [TX-5]', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    const joining = client.joinTransaction('T');
    const join = await peer.until('TRANSACTION_JOIN');
    peer.verdict({ verdict: 'resumed', epoch: 'E', seq: '0', last: '1' }, { related_id: join.id });
    peer.entry(1, { type: 'TRANSACTION_START', session: 'other', payload: { toolName: 'echo' } });
    const chat = await joining;
    await clock.settle();
    peer.receipt(join, 2);
    await clock.settle();
    expect(chat.conversation.participants).toEqual(['other', 'me']);
    expect(chat.pending).toEqual([]);
    expect(client.stats.faults).toBe(0);
  });

  it('that were settled and then trimmed unread are let go', async () => {
    const { clock, started, transport, reconnected } = setUp();
    const { peer, chat } = await started();
    const sending = chat.sendText('Hello');
    peer.ack((await peer.until('MESSAGE')).seq);
    await sending;
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    again.verdict({ verdict: 'gap', epoch: 'E', first: '8', last: '9' });
    again.entry(8);
    await clock.settle();
    expect(chat.pending).toHaveLength(1);
    again.entry(9);
    await clock.settle();
    expect(chat.pending).toEqual([]);
  });
});

describe('verdicts', () => {
  it('F44: a gap is told once, with exactly what is missing, and reading goes on at first [JOIN-4] [JOIN-7]', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const gaps: unknown[] = [];
    chat.on('gap', (gap) => gaps.push(gap));
    const entries = chat.entries();
    peer.entry(2);
    peer.verdict({ verdict: 'gap', epoch: 'E', first: '10', last: '12' });
    peer.entry(10);
    await clock.settle();
    expect(gaps).toEqual([{ first: 3, last: 9 }]);
    expect(chat.conversation.gaps).toEqual([{ first: 3, last: 9 }]);
    expect(chat.cursor).toEqual({ epoch: 'E', position: 10 });
    const kinds = [];
    for (let i = 0; i < 3; i++) kinds.push((await entries.next()).value?.kind);
    expect(kinds).toEqual(['entry', 'gap', 'entry']);
  });

  it('a gap with nothing missing is no gap', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const gaps: unknown[] = [];
    chat.on('gap', (gap) => gaps.push(gap));
    peer.verdict({ verdict: 'gap', epoch: 'E', first: '2', last: '3' });
    peer.entry(2);
    await clock.settle();
    expect(gaps).toEqual([]);
    expect(chat.cursor.position).toBe(2);
  });

  it('F51: a cursor from beyond the log is corrected, and what comes next is handed over once [JOIN-5]', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    const joining = client.joinTransaction('T', { cursor: { epoch: 'E', position: 50 } });
    const join = await peer.until('TRANSACTION_JOIN');
    expect(join.payload).toEqual({ epoch: 'E', seq: '50' });
    peer.verdict({ verdict: 'gap', epoch: 'E', first: '4', last: '3' }, { related_id: join.id });
    peer.entry(4);
    const chat = await joining;
    const positions: number[] = [];
    const gaps: unknown[] = [];
    chat.on('entry', ({ position }) => positions.push(position));
    chat.on('gap', (gap) => gaps.push(gap));
    await clock.settle();
    expect(positions).toEqual([4]);
    expect(gaps).toEqual([{ first: 4, last: 50 }]);
    expect(client.stats.faults).toBe(0);
  });

  it('F22: another epoch begins the conversation afresh [JOIN-6] [LOG-7]', async () => {
    const { clock, started, transport, reconnected } = setUp();
    const { peer, chat } = await started();
    peer.entry(2, { payload: 'old' });
    await clock.settle();
    const restarts: unknown[] = [];
    const gaps: unknown[] = [];
    chat.on('restart', (restart) => restarts.push(restart));
    chat.on('gap', (gap) => gaps.push(gap));
    transport.last.cut();
    const again = await reconnected();
    const hai = await again.welcome();
    again.verdict({ verdict: 'gap', epoch: 'F', first: '1', last: '2' }, { related_id: hai.id });
    again.entry(1, { payload: 'new 1' });
    again.entry(2, { payload: 'new 2' });
    await clock.settle();
    expect(restarts).toEqual([{ epoch: 'F' }]);
    expect(gaps).toEqual([]);
    expect(chat.conversation.messages.map(({ text }) => text)).toEqual(['new 1', 'new 2']);
    expect(chat.cursor).toEqual({ epoch: 'F', position: 2 });
  });

  it('refused closes the transaction; what was written in it ends as its own ERROR says, not as unknown', async () => {
    const { client, clock, started } = setUp();
    const { peer, chat } = await started();
    const written = expect(chat.sendText('1')).rejects.toMatchObject({ code: 'TRANSACTION_NOT_FOUND' });
    const sent = await peer.until('MESSAGE');
    const loop = expect(chat.messages().next()).rejects.toMatchObject({ code: 'TRANSACTION_NOT_FOUND' });
    const closed: unknown[] = [];
    chat.on('closed', (reason) => closed.push(reason));
    peer.verdict({ verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' });
    await loop;
    peer.error(sent, { code: 'TRANSACTION_NOT_FOUND', retry: false });
    await written;
    expect(closed).toMatchObject([{ code: 'TRANSACTION_NOT_FOUND' }]);
    expect(String(closed[0])).toContain('start a new one; expected a transaction that this user may read, got none');
    await expect(chat.sendText('2')).rejects.toMatchObject({ code: 'closed', cause: closed[0] });
    expect(client.state.name).toBe('connected');
    await clock.settle();
  });

  it('refused on resume: what waited is told that it was not stored, also over one more cut [ACK-8]', async () => {
    const { clock, started, transport, reconnected } = setUp();
    const { chat } = await started();
    transport.last.cut();
    await clock.settle();
    const sending = expect(chat.sendText('meanwhile')).rejects.toMatchObject({ name: 'RefusedError' });
    const second = await reconnected();
    const hai = await second.welcome();
    second.verdict({ verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' }, { related_id: hai.id });
    await second.until('MESSAGE');
    await clock.settle();
    transport.last.cut();
    const third = await reconnected();
    await third.welcome();
    third.error(await third.until('MESSAGE'), { code: 'TRANSACTION_NOT_FOUND', retry: false });
    await sending;
  });

  it('refused in the middle of an answer: nobody waits for the rest of it [TX-8]', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    peer.entry(2, { type: 'RUN_STARTED', payload: {}, run_id: 'R' });
    peer.entry(3, { type: 'MESSAGE_START', payload: { message_id: 'w' } });
    peer.entry(4, { type: 'MESSAGE_PART', payload: { message_id: 'w', text: 'Half an ans' } });
    await clock.settle();
    const shown: unknown[] = [];
    chat.on('closed', () => shown.push(chat.conversation));
    peer.verdict({ verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' });
    await clock.settle();
    expect(shown).toMatchObject([
      {
        messages: [{ text: 'Half an ans', status: 'interrupted' }],
        runs: [{ id: 'R', status: 'INTERRUPTED' }],
        ended: false,
      },
    ]);
  });

  it('a resumed verdict at another position than asked is a fault', async () => {
    const { client, clock, started, transport, reconnected } = setUp();
    await started();
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    again.verdict({ verdict: 'resumed', epoch: 'E', seq: '7', last: '9' });
    await clock.settle();
    expect(client.stats.faults).toBe(1);
  });

  it.each([
    { verdict: 'gap', epoch: 'E' },
    { verdict: 'resumed', epoch: 'E' },
    { verdict: 'gap', epoch: 'E', first: '0' },
  ])('a verdict without its numbers is a fault: %o', async (payload) => {
    const { client, clock, started } = setUp();
    const { peer } = await started();
    peer.verdict(payload);
    await clock.settle();
    expect(client.stats.faults).toBe(1);
  });

  it('one at a time: a second one of the same transaction gets what the first got', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    const joining = [client.joinTransaction('T'), client.joinTransaction('T')];
    const asked = await peer.until('TRANSACTION_JOIN');
    await clock.settle();
    expect(peer.types.filter((type) => type === 'TRANSACTION_JOIN')).toHaveLength(1);
    peer.verdict({ verdict: 'resumed', epoch: 'E', seq: '0', last: '0' }, { related_id: asked.id, ack: asked.seq });
    const [first, second] = await Promise.all(joining);
    expect(second).toBe(first);
  });

  it('a cursor that the server could not take for now is brought again by the next connection [JOIN-1]', async () => {
    const { started, reconnected, transport } = setUp();
    await started();
    transport.last.cut();
    const again = await reconnected();
    const hai = await again.welcome();
    again.error({ id: hai.id, transaction: 'T' }, { code: 'OVERLOADED', retry: true });
    const third = await reconnected();
    expect((await third.welcome()).payload.resume).toEqual([{ transaction: 'T', epoch: 'E', seq: '1' }]);
  });

  it('an id outside the grammar is refused before anything is written [ENV-3]', async () => {
    const { client, connected } = setUp();
    const peer = await connected();
    await expect(client.joinTransaction('a"b')).rejects.toThrow(TypeError);
    expect(peer.types).toEqual(['HAI']);
  });

  it('F4: joins go on over a cut, and listeners added in the same turn miss nothing [JOIN-2]', async () => {
    const { client, clock, connected, transport, reconnected } = setUp();
    const peer = await connected();
    const joining = client.joinTransaction('T');
    await peer.until('TRANSACTION_JOIN');
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    const join = await again.until('TRANSACTION_JOIN');
    again.verdict({ verdict: 'resumed', epoch: 'E', seq: '4', last: '6' }, { related_id: join.id });
    again.entry(5);
    again.entry(6);
    const chat = await joining;
    const positions: number[] = [];
    chat.on('entry', ({ position }) => positions.push(position));
    await clock.settle();
    expect(positions).toEqual([5, 6]);
    expect(await client.joinTransaction('T')).toBe(chat);
  });
});

describe('handing over', () => {
  it('F63: a listener that throws or rejects is logged; the cursor moves on and others are told [READ-4]', async () => {
    const { clock, log, started } = setUp();
    const { peer, chat } = await started();
    const cursors: number[] = [];
    chat.on('entry', () => {
      cursors.push(chat.cursor.position);
      throw new Error('poison');
    });
    chat.on('entry', (async () => {
      throw new Error('later');
    }) as () => void);
    const seen: number[] = [];
    chat.on('entry', ({ position }) => seen.push(position));
    peer.entry(2);
    peer.entry(3);
    await clock.settle();
    expect(cursors).toEqual([1, 2]);
    expect(seen).toEqual([2, 3]);
    expect(chat.cursor.position).toBe(3);
    expect(log.filter(({ event }) => event === 'listener failed')).toHaveLength(4);
  });

  it('a listener may disconnect in the middle of a read: nothing more is handed over', async () => {
    const { client, clock, started } = setUp();
    const { peer, chat } = await started();
    const seen: number[] = [];
    chat.on('entry', ({ position }) => {
      seen.push(position);
      client.disconnect();
    });
    peer.entry(2);
    peer.entry(3);
    await clock.settle();
    expect(seen).toEqual([2]);
    expect(chat.cursor.position).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('a function that on gave ends the listening', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const seen: number[] = [];
    const stop = chat.on('entry', ({ position }) => seen.push(position));
    peer.entry(2);
    await clock.settle();
    stop();
    peer.entry(3);
    await clock.settle();
    expect(seen).toEqual([2]);
  });

  it('the conversation is a new object at each change, and the old one stays as it was', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const before = chat.conversation;
    peer.entry(2);
    await clock.settle();
    expect(chat.conversation).not.toBe(before);
    expect(before.messages).toEqual([]);
  });

  it('TRANSACTION_END is handed over, ends loops after what they hold, and is not resumed [TX-8]', async () => {
    const { clock, started, transport, reconnected } = setUp();
    const { peer, chat } = await started();
    const loop = chat.messages();
    const ended: number[] = [];
    chat.on('ended', ({ position }) => ended.push(position));
    peer.entry(2, { type: 'MESSAGE_START', payload: { message_id: 'a', text: 'half' } });
    peer.entry(3, { type: 'TRANSACTION_END', payload: {} });
    await clock.settle();
    expect(ended).toEqual([3]);
    expect((await loop.next()).value).toMatchObject({ id: 'a', text: 'half', status: 'interrupted' });
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    await expect(chat.sendText('late')).rejects.toMatchObject({ code: 'closed' });
    transport.last.cut();
    expect((await (await reconnected()).welcome()).payload).not.toHaveProperty('resume');
  });

  it('entries of a transaction nobody reads are ignored', async () => {
    const { client, clock, started } = setUp();
    const { peer } = await started();
    peer.entry(7, {}, 'elsewhere');
    await clock.settle();
    expect(client.state.name).toBe('connected');
  });
});

describe('loops', () => {
  it('messages gives what completed before it began, then what completes; leaving it keeps the rest for the next', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    for (const position of [2, 3, 4]) peer.entry(position);
    await clock.settle();
    for await (const message of chat.messages()) {
      expect(message.text).toBe('text 2');
      break;
    }
    const rest: string[] = [];
    for await (const message of chat.messages()) {
      rest.push(message.text);
      if (rest.length === 2) peer.entry(5);
      if (rest.length === 3) break;
    }
    expect(rest).toEqual(['text 3', 'text 4', 'text 5']);
  });

  it('messages gives a streamed message once, when it is whole', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const loop = chat.messages();
    peer.entry(2, { type: 'MESSAGE_START', payload: { message_id: 'a' } });
    peer.entry(3, { type: 'MESSAGE_PART', payload: { message_id: 'a', text: 'abc' } });
    const waiting = loop.next();
    await clock.settle();
    peer.entry(4, { type: 'MESSAGE_END', payload: { message_id: 'a', start_seq: '2' } });
    expect((await waiting).value).toMatchObject({ id: 'a', text: 'abc' });
  });

  it('two loops are each given everything', async () => {
    const { started } = setUp();
    const { peer, chat } = await started();
    const [one, two] = [chat.messages(), chat.messages()];
    peer.entry(2);
    expect((await one.next()).value?.text).toBe('text 2');
    expect((await two.next()).value?.text).toBe('text 2');
  });

  it('a signal ends a loop with its reason', async () => {
    const { started } = setUp();
    const { chat } = await started();
    const controller = new AbortController();
    const waiting = expect(chat.messages({ signal: controller.signal }).next()).rejects.toThrow('enough');
    const entries = expect(chat.entries({ signal: controller.signal }).next()).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await Promise.all([waiting, entries]);
    await expect(chat.entries({ signal: controller.signal }).next()).rejects.toThrow('enough');
  });

  it('a loop over entries that nobody pulls holds them all, and no cursor waits for it', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const loop = chat.entries();
    for (let position = 2; position <= 1_001; position++) peer.entry(position, { type: 'RUN_STARTED', payload: {} });
    peer.entry(1_002, { type: 'TRANSACTION_END', payload: {} });
    await clock.settle();
    expect(chat.cursor.position).toBe(1_002);
    const positions: number[] = [];
    for await (const event of loop) if (event.kind === 'entry') positions.push(event.entry.position);
    expect(positions).toEqual(Array.from({ length: 1_001 }, (_, i) => i + 2));
  });
});

// Laws on what arrives: whole, in order, as it was sent. Spec: §7.

import { defaultCodecLimits, Fault, type Frame, type Received } from '@haip/protocol';
import { expect } from 'vitest';
import {
  connect,
  directions,
  endOf,
  envelope,
  frameOf,
  frameOfSize,
  Gathered,
  idsOf,
  meaningOf,
  type TransportLaw,
} from './context.ts';

const { maxTextBytes, maxBinaryBytes } = defaultCodecLimits;

const awkward = [
  'Zoë, 東京, 👩‍👩‍👧, e\u0301',
  'line\nfeed, \r\n, tab\t, NUL \u0000, quote " and \\',
  '\u2028\u2029\u0085\ufeff',
  '</script> data: x\n\ndata: y',
  { __proto__x: 1, nested: [null, true, 1.5, '\ud800'] },
];

export const deliveryLaws: readonly TransportLaw[] = [
  {
    name: 'messages arrive in the order they were sent, both ways at once',
    async run(open) {
      const ends = await connect(open);
      const sent = directions(ends).map(([from, to]) => {
        const messages = Array.from({ length: 200 }, () => envelope());
        const gathered = new Gathered(to);
        for (const message of messages) void from.send(frameOf(message));
        return { messages, gathered };
      });
      for (const { messages, gathered } of sent) {
        expect(idsOf(await gathered.messages(200))).toEqual(messages.map(({ id }) => id));
      }
    },
  },
  {
    name: "a batch is its taker's own: whoever empties it loses nothing of what comes later",
    async run(open) {
      for (const [from, to] of directions(await connect(open))) {
        const messages = Array.from({ length: 100 }, () => envelope());
        const taken: Received[] = [];
        for (const message of messages) void from.send(frameOf(message));
        for await (const batch of to) {
          for (const incoming of batch.splice(0)) if (!(incoming instanceof Fault)) taken.push(incoming);
          if (taken.length === messages.length) break;
        }
        expect(idsOf(taken)).toEqual(messages.map(({ id }) => id));
      }
    },
  },
  {
    name: 'an answer leaves while its sender has a batch in hand, also one that waits for something before the next',
    async run(open) {
      for (const way of [0, 1]) {
        const [from, to] = directions(await connect(open))[way] ?? expect.fail('a connection has two ends');
        const [question, answer, later] = [envelope(), envelope(), envelope()];
        const [heard, heardLater] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        const taking = (async () => {
          for await (const _batch of to) {
            void to.send(frameOf(answer));
            // Asks for nothing more before the other end has the answer and has said so.
            await heard.promise;
            void to.send(frameOf(later));
            await heardLater.promise;
            return;
          }
        })();
        const gathered = new Gathered(from);
        void from.send(frameOf(question));
        expect(idsOf(await gathered.messages(1))).toEqual([answer.id]);
        heard.resolve();
        expect(idsOf(await gathered.messages(2))).toEqual([answer.id, later.id]);
        heardLater.resolve();
        await taking;
      }
    },
  },
  {
    name: 'an envelope arrives with every field as it was written',
    async run(open) {
      const full = envelope({
        transaction: 't-1',
        from_seq: '3',
        seq: '18446744073709551615',
        ack: '0',
        pv: 1,
        crit: true,
        run_id: 'run',
        thread_id: 'a label, with spaces',
        related_id: 'other',
        payload: { text: 'x', list: [1, 'two', { three: null }] },
      });
      for (const [from, to] of directions(await connect(open))) {
        void from.send(frameOf(full));
        const [received] = await new Gathered(to).messages(1);
        expect(received?.envelope).toEqual(full);
      }
    },
  },
  {
    name: 'text arrives whatever characters it has',
    async run(open) {
      for (const [from, to] of directions(await connect(open))) {
        const frames = awkward.map((payload) => frameOf(envelope({ payload })));
        for (const frame of frames) void from.send(frame);
        const received = await new Gathered(to).messages(frames.length);
        expect(received.map((item) => item.envelope.payload)).toEqual(frames.map((frame) => meaningOf(frame).payload));
      }
    },
  },
  {
    name: 'size is the UTF-8 bytes of the text plus the raw bytes',
    async run(open) {
      const frame = frameOf(envelope({ payload: 'é'.repeat(100) }));
      for (const [from, to] of directions(await connect(open))) {
        void from.send(frame);
        const [received] = await new Gathered(to).messages(1);
        expect(received?.size).toBe(new TextEncoder().encode(frame.text).length);
      }
    },
  },
  {
    name: 'a text of exactly the limit arrives whole',
    async run(open) {
      for (const [from, to] of directions(await connect(open))) {
        const frame = frameOfSize(maxTextBytes);
        void from.send(frame);
        const [received] = await new Gathered(to).messages(1);
        expect(received?.size).toBe(maxTextBytes);
        expect(received?.envelope).toEqual(meaningOf(frame));
      }
    },
  },
  {
    name: 'A4: a text one byte over the limit is a fault or the end, with 1009, and never a message',
    async run(open) {
      const { client, server } = await connect(open);
      void client.send(frameOfSize(maxTextBytes + 1));
      const gathered = new Gathered(server);
      const came = await Promise.race([gathered.first(1), endOf(server)]);
      if ('code' in came) {
        expect(came.code).toBe(1009);
        await gathered.over;
      }
      for (const item of gathered.items) expect(item).toMatchObject({ code: 'MESSAGE_TOO_LARGE', close: 1009 });
    },
  },
  {
    name: 'A1: what is no envelope arrives as a fault in its place, and the link goes on',
    async run(open) {
      for (const [from, to] of directions(await connect(open))) {
        const [before, after] = [envelope(), envelope()];
        void from.send(frameOf(before));
        for (const text of ['{bad', 'null', '[]', '{"id":"x"}']) void from.send({ text, shared: false });
        void from.send(frameOf(after));
        const items = await new Gathered(to).first(6);
        expect(items.map((item) => (item instanceof Fault ? item.code : item.envelope.id))).toEqual([
          before.id,
          ...Array.from({ length: 4 }, () => 'PROTOCOL_VIOLATION'),
          after.id,
        ]);
      }
    },
  },
  {
    name: 'a frame made for many readers arrives at each of them',
    async run(open) {
      const all = [await connect(open), await connect(open), await connect(open)];
      const frame: Frame = { text: encodeOnce(), shared: true };
      for (const { server } of all) void server.send(frame);
      for (const { client } of all) {
        const [received] = await new Gathered(client).messages(1);
        expect(received?.envelope).toEqual(meaningOf(frame));
      }
    },
  },
  {
    name: 'A19: bytes arrive with their envelope, between their neighbours, empty and full ones too',
    needs: ({ binary }) => binary,
    async run(open) {
      const lengths = [0, 1, 70_000, maxBinaryBytes];
      for (const [from, to] of directions(await connect(open))) {
        const gathered = new Gathered(to);
        const sent = lengths.map((length) => new Uint8Array(length).map((_, i) => i * 31));
        for (const bytes of sent) {
          await from.send(frameOf(envelope({ type: 'AUDIO', payload: { mime: 'audio/webm' } }), bytes));
          await from.send(frameOf(envelope()));
        }
        const received = await gathered.messages(2 * lengths.length);
        expect(received.map(({ bytes }) => bytes?.length)).toEqual(lengths.flatMap((length) => [length, undefined]));
        for (const [i, bytes] of sent.entries()) {
          const got = received[2 * i]?.bytes ?? new Uint8Array();
          expect(bytes.every((byte, at) => byte === got[at])).toBe(true);
        }
      }
    },
  },
];

function encodeOnce(): string {
  return frameOf(envelope({ payload: 'for all of you' })).text;
}

// Laws on beginning, ending and waiting: one end with a code, nothing lost before it, and a writer that is made to
// wait while nobody reads. Spec: §6, §7.

import { type CloseCode, closeCodes } from '@haip/protocol';
import { expect } from 'vitest';
import { settle } from '../settle.ts';
import {
  connect,
  directions,
  endOf,
  envelope,
  eventually,
  frameOf,
  Gathered,
  idsOf,
  type TransportLaw,
} from './context.ts';

/** What a server may end a connection with: all but the cut, which nobody sends. */
const codesOfServer = Object.keys(closeCodes)
  .map(Number)
  .filter((code) => code !== 1006) as CloseCode[];

/** Enough to fill what any operating system holds on its own. */
const FLOOD_FRAMES = 256;
const flood = frameOf(envelope({ payload: 'x'.repeat(200_000) }));

const endingLaws: readonly TransportLaw[] = [
  {
    name: 'code, reason and delay of a close reach the client, for every code a server may send',
    async run(open) {
      for (const code of codesOfServer) {
        const { client, server } = await connect(open);
        server.close(code, 'as agreed', 1500);
        expect(await endOf(client)).toEqual({ code, reason: 'as agreed', retryAfterMs: 1500 });
        expect((await endOf(server)).code).toBe(code);
      }
    },
  },
  {
    name: 'code and reason of a close reach the server',
    async run(open) {
      for (const code of [1000, 4409] as const) {
        const { client, server } = await connect(open);
        client.close(code, 'leaving');
        expect(await endOf(server)).toMatchObject({ code, reason: 'leaving' });
        expect((await endOf(client)).code).toBe(code);
      }
    },
  },
  {
    name: 'a close comes after everything that was sent before it',
    async run(open) {
      for (const way of [0, 1]) {
        const [from, to] = directions(await connect(open))[way] ?? [];
        if (from === undefined || to === undefined) throw new Error('two directions');
        const messages = Array.from({ length: 50 }, () => envelope({ payload: 'x'.repeat(1000) }));
        for (const message of messages) void from.send(frameOf(message));
        from.close(1000);
        const gathered = new Gathered(to);
        await gathered.over;
        expect(idsOf(await gathered.messages(50))).toEqual(messages.map(({ id }) => id));
        expect((await endOf(to)).code).toBe(1000);
      }
    },
  },
  {
    name: 'a reader that is slow gets all that came before the end',
    async run(open) {
      const { client, server } = await connect(open);
      const messages = Array.from({ length: 20 }, () => envelope());
      const ids: string[] = [];
      for (const message of messages) {
        void server.send(frameOf(message));
        await settle(1);
      }
      server.close(1001);
      for await (const batch of client) {
        await settle(5);
        for (const item of batch) ids.push('envelope' in item ? item.envelope.id : item.code);
      }
      expect(ids).toEqual(messages.map(({ id }) => id));
    },
  },
  {
    name: 'the first close counts, and closing again changes nothing',
    async run(open) {
      const { client, server } = await connect(open);
      server.close(1012, 'first');
      server.close(1008, 'second');
      expect(await endOf(client)).toMatchObject({ code: 1012, reason: 'first' });
      const end = await endOf(server);
      server.close(1011, 'third');
      client.close(1000, 'fourth');
      expect(await endOf(server)).toEqual(end);
      expect(await endOf(client)).toMatchObject({ code: 1012, reason: 'first' });
    },
  },
  {
    name: 'F7: a link that is cut ends with 1006 on both sides, and both iterations end',
    async run(open) {
      const ends = await connect(open);
      const gathered = directions(ends).map(([, to]) => new Gathered(to));
      void ends.client.send(frameOf(envelope()));
      await gathered[0]?.messages(1);
      open.cut();
      for (const [, to] of directions(ends)) expect((await endOf(to)).code).toBe(1006);
      for (const { over } of gathered) await over;
    },
  },
  {
    name: 'what is sent after the end is dropped without an error',
    async run(open) {
      const ends = await connect(open);
      ends.server.close(1000);
      for (const [from] of directions(ends)) {
        await endOf(from);
        await from.send(frameOf(envelope()));
        from.probe();
      }
    },
  },
  {
    name: 'the end of one connection leaves the others alone',
    async run(open) {
      const first = await connect(open);
      const second = await connect(open);
      first.server.close(1008);
      await endOf(first.client);
      const message = envelope();
      void second.client.send(frameOf(message));
      expect(idsOf(await new Gathered(second.server).messages(1))).toEqual([message.id]);
      first.client.close(1000);
      second.client.close(1000);
      await endOf(second.server);
      await eventually(() => open.open() === 0);
    },
  },
];

const waitingLaws: readonly TransportLaw[] = [
  {
    name: 'F14: who sends to a peer that does not read is made to wait, and goes on when it reads',
    needs: ({ pause }) => pause,
    async run(open) {
      for (const way of [0, 1]) {
        const [from, to] = directions(await connect(open))[way] ?? [];
        if (from === undefined || to === undefined) throw new Error('two directions');
        let sent = 0;
        let waiting: Promise<void> | undefined;
        while (sent < FLOOD_FRAMES && waiting === undefined) {
          sent++;
          const pending = from.send(flood);
          if (pending === undefined) continue;
          const isStuck = await Promise.race([pending.then(() => false), settle(50).then(() => true)]);
          if (isStuck) waiting = pending;
        }
        expect(waiting).toBeDefined();
        const gathered = new Gathered(to);
        await waiting;
        await gathered.messages(sent);
        from.close(1000);
        await gathered.over;
        expect(gathered.items).toHaveLength(sent);
      }
    },
  },
  {
    name: 'F14: a writer that waits is let go when the link ends',
    needs: ({ pause }) => pause,
    async run(open) {
      const { client, server } = await connect(open);
      const pending: Promise<void>[] = [];
      for (let i = 0; i < FLOOD_FRAMES && pending.length < 3; i++) {
        const wait = server.send(flood);
        if (wait !== undefined) pending.push(wait);
      }
      expect(pending).toHaveLength(3);
      open.cut();
      await Promise.all(pending);
      await endOf(server);
      void new Gathered(client);
      await endOf(client);
    },
  },
  {
    name: "F14: a server's written stands still while the peer reads nothing, and rises while it reads",
    needs: ({ pause, progress }) => pause && progress,
    async run(open) {
      const { client, server } = await connect(open);
      let sent = 0;
      let written = -1;
      // Full once the system has taken nothing more for a while.
      while (sent < FLOOD_FRAMES && !(server.send(flood) && server.written === written)) {
        sent++;
        written = server.written ?? Number.NaN;
        await settle(20);
      }
      await settle(50);
      expect(server.written).toBe(written);
      const gathered = new Gathered(client);
      await gathered.first(sent);
      await eventually(() => server.written !== undefined && server.written >= sent * flood.text.length);
      server.close(1000);
      await gathered.over;
      expect(server.written).toBeGreaterThanOrEqual((sent + 1) * flood.text.length);
    },
  },
  {
    name: 'heard rises with everything that arrives, and never falls',
    async run(open) {
      for (const [from, to] of directions(await connect(open))) {
        const gathered = new Gathered(to);
        let heard = to.heard;
        for (let i = 1; i <= 3; i++) {
          void from.send(frameOf(envelope()));
          await gathered.messages(i);
          expect(to.heard).toBeGreaterThan(heard);
          heard = to.heard;
        }
      }
    },
  },
  {
    name: "a probe by the server makes the client's link answer without a message",
    async run(open) {
      const { client, server } = await connect(open);
      await probeIsAnswered(server, client);
    },
  },
  {
    name: "a probe by the client makes the server's link answer without a message",
    needs: ({ clientProbe }) => clientProbe,
    async run(open) {
      const { client, server } = await connect(open);
      await probeIsAnswered(client, server);
    },
  },
];

async function probeIsAnswered(prober: Parameters<typeof endOf>[0], peer: Parameters<typeof endOf>[0]): Promise<void> {
  const gathered = [new Gathered(prober), new Gathered(peer)];
  const before = prober.heard;
  prober.probe();
  await eventually(() => prober.heard > before);
  for (const { items } of gathered) expect(items).toEqual([]);
}

const dialLaws: readonly TransportLaw[] = [
  {
    name: 'a dial that nobody answers rejects with an Error',
    async run(open) {
      await open.refuse();
      await expect(open.transport.dial({}, new AbortController().signal)).rejects.toBeInstanceOf(Error);
      await eventually(() => open.open() === 0);
    },
  },
  {
    name: "a dial with an aborted signal rejects with the signal's reason and opens nothing",
    async run(open) {
      const reason = new Error('changed my mind');
      await expect(open.transport.dial({}, AbortSignal.abort(reason))).rejects.toBe(reason);
      await settle();
      expect(open.open()).toBe(0);
    },
  },
  {
    name: "a dial that is aborted on its way rejects with the signal's reason and leaves nothing open",
    async run(open) {
      const reason = new Error('changed my mind');
      const abort = new AbortController();
      const dialled = open.transport.dial({}, abort.signal);
      const rejected = expect(dialled).rejects.toBe(reason);
      abort.abort(reason);
      await rejected;
      const later = await open.transport.dial({}, new AbortController().signal);
      await eventually(() => open.open() === 1);
      later.close(1000);
      await eventually(() => open.open() === 0);
    },
  },
  {
    name: 'an abort after the dial changes nothing',
    async run(open) {
      const abort = new AbortController();
      const accepted = open.accepted();
      const client = await open.transport.dial({}, abort.signal);
      abort.abort(new Error('too late'));
      const message = envelope();
      void client.send(frameOf(message));
      expect(idsOf(await new Gathered(await accepted).messages(1))).toEqual([message.id]);
    },
  },
];

export const lifecycleLaws: readonly TransportLaw[] = [...endingLaws, ...waitingLaws, ...dialLaws];

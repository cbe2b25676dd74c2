// A bounded run of `pnpm fuzz`, and servers that are broken on purpose, each of which it must catch.

import { type Connection, decode, type Envelope, encode, type Frame, type Incoming } from '@haip/protocol';
import { fuzzCodec, fuzzLine, fuzzServer } from '@haip/testing/fuzz';
import { expect, test } from 'vitest';
import { type FuzzedServer, serverInMemory, serverOverWebSocket } from './fuzzed-servers.ts';

test('20,000 nearly valid texts: the codec takes what is an envelope, refuses the rest in known words, and is never slow', () => {
  const report = fuzzCodec({ cases: 20_000, seed: 20_000 });
  expect(report.violations, fuzzLine('codec', report)).toEqual([]);
  expect(report.counts['taken']).toBeGreaterThan(1_000);
}, 30_000);

test.each<[string, () => FuzzedServer | Promise<FuzzedServer>, number]>([
  // A time that a machine busy with other tests keeps: `pnpm fuzz` asks for 50 ms.
  ['in memory', serverInMemory, 1_000],
  // A long text in pieces of 100 bytes is slow on any link: here the reaction counts.
  ['over WebSocket, in pieces', serverOverWebSocket, 5_000],
])(
  'A71: 1,000 nearly valid messages to a server %s each get their reaction, and a neighbour talks on',
  async (name, start, maxCaseMs) => {
    const server = await start();
    const report = await fuzzServer({ dial: () => server.dial(), tool: 'echo', cases: 1_000, seed: 1_000, maxCaseMs });
    await server.close();
    expect(report.violations, fuzzLine(name, report)).toEqual([]);
    expect(Object.keys(report.counts)).toEqual(
      expect.arrayContaining(['taken or ignored', 'PROTOCOL_VIOLATION', 'closed 1008']),
    );
    // Nothing of what came is in the log lines, and no line is a failure of the server's own.
    expect(server.logged.filter((line) => /canary|connection failed/.test(line))).toEqual([]);
  },
  30_000,
);

type Change = (envelope: Envelope) => Envelope | undefined;

/** The server, but for what is done to each envelope that it writes. */
async function fuzzBroken(change: Change, close?: number): Promise<string[]> {
  const server = serverInMemory();
  const dial = async (): Promise<Connection> => {
    const connection = await server.dial();
    const changed = (envelope: Envelope) => change(envelope);
    return {
      supports: connection.supports,
      closed: connection.closed.then((end) =>
        close === undefined || end.code !== 1008 ? end : { ...end, code: close },
      ),
      get heard() {
        return connection.heard;
      },
      send: (frame: Frame) => connection.send(frame),
      probe: () => connection.probe(),
      close: (code, reason) => connection.close(code, reason),
      async *[Symbol.asyncIterator]() {
        for await (const batch of connection) {
          yield batch.flatMap((incoming): Incoming[] => {
            if (!('envelope' in incoming)) return [incoming];
            const envelope = changed(decode(encode(incoming.envelope)) as Envelope);
            return envelope ? [{ ...incoming, envelope }] : [];
          });
        }
      },
    };
  };
  const report = await fuzzServer({ dial, tool: 'echo', cases: 150, seed: 2, answerMs: 100 });
  await server.close();
  return report.violations.map(({ rule, told }) => `${rule}: ${told}`);
}

const inError =
  (change: (payload: Record<string, unknown>) => object): Change =>
  (envelope) =>
    envelope.type === 'ERROR'
      ? ({ ...envelope, payload: change({ ...(envelope.payload as object) }) } as Envelope)
      : envelope;

test.each<[string, RegExp, Change, number?]>([
  ['has an error code of its own', /unknown code, OOPS/, inError((payload) => ({ ...payload, code: 'OOPS' }))],
  ['says nothing of retrying', /whether to retry/, inError(({ retry, ...payload }) => payload)],
  [
    'shows its stack',
    /a stack or a path/,
    inError((payload) => ({ ...payload, message: 'Error\n    at take (server.ts:7:1)' })),
  ],
  ['quotes what it refuses', /text of a payload/, inError((payload) => ({ ...payload, got: 'canary-payload-5f1c' }))],
  ['closes with a code of its own', /unknown code, 4999/, (envelope) => envelope, 4999],
  [
    'settles nothing after an error',
    /not settled in time/,
    ((): Change => {
      let errors = 0;
      return (envelope) => {
        if (envelope.type === 'ERROR') errors++;
        return errors > 3 && errors < 9 && envelope.ack ? { ...envelope, ack: undefined } : envelope;
      };
    })(),
  ],
  [
    'tells credentials',
    /credentials in/,
    (envelope) =>
      envelope.type === 'INFO'
        ? { ...envelope, payload: { ...(envelope.payload as object), was: 'canary-secret-91ab' } }
        : envelope,
  ],
  [
    'never answers the neighbour',
    /neighbour's conversation goes on: line 1 got no receipt/,
    (envelope) => (envelope.type === 'INFO' && envelope.seq !== '0' ? undefined : envelope),
  ],
  [
    'loses an entry of the neighbour',
    /neighbour's conversation goes on: position/,
    ((): Change => {
      let lines = 0;
      return (envelope) => {
        const isEcho = envelope.type === 'MESSAGE' && String(envelope.payload).startsWith('line ');
        return isEcho && ++lines === 2 ? undefined : envelope;
      };
    })(),
  ],
])(
  'a server that %s is caught',
  async (_, told, change, close) => {
    const violations = await fuzzBroken(change, close);
    expect(violations.filter((violation) => told.test(violation))).not.toEqual([]);
  },
  20_000,
);

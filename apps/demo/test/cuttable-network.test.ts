import {
  type CloseCode,
  type Connection,
  type ConnectionEnd,
  Fault,
  type Frame,
  type Incoming,
  type Transport,
} from '@haip/protocol';
import { expect, test } from 'vitest';
import { cuttableNetwork } from '../web/connection/cuttable-network.ts';

const signal = new AbortController().signal;
const frame: Frame = { text: '{}', shared: false };

/** A transport whose one connection is in the test's hand. */
function link() {
  const sent: Frame[] = [];
  const closes: CloseCode[] = [];
  const end = Promise.withResolvers<ConnectionEnd>();
  const { readable, writable } = new TransformStream<Incoming[]>();
  const wire = writable.getWriter();
  const connection: Connection = {
    supports: { binary: true, pause: false },
    closed: end.promise,
    heard: 3,
    send: (one) => void sent.push(one),
    probe: () => {},
    close: (code) => void closes.push(code),
    [Symbol.asyncIterator]: () => readable[Symbol.asyncIterator](),
  };
  const transport: Transport = { name: 'test', dial: async () => connection };
  const bring = () => void wire.write([new Fault('INTERNAL_ERROR')]);
  return { transport, sent, closes, end: end.resolve, bring };
}

/** A network with one transport. */
function over(transport: Transport, now?: () => number) {
  const network = cuttableNetwork([transport], now);
  const [cuttable = transport] = network.transports;
  return { cut: network.cut, dial: () => cuttable.dial({}, signal) };
}

test('until it is cut, a connection is the one below', async () => {
  const { transport, sent, closes, end, bring } = link();
  const connection = await over(transport).dial();
  connection.send(frame);
  connection.close(1000);
  expect([sent, closes, connection.heard]).toEqual([[frame], [1000], 3]);
  bring();
  expect((await connection[Symbol.asyncIterator]().next()).done).toBe(false);
  end({ code: 1000, reason: 'bye' });
  expect(await connection.closed).toEqual({ code: 1000, reason: 'bye' });
});

test('a cut ends the waiting read with 1006, and nothing goes in or out any more', async () => {
  const { transport, sent, closes, bring } = link();
  const { dial, cut } = over(transport);
  const connection = await dial();
  const iterator = connection[Symbol.asyncIterator]();
  const reading = iterator.next();
  cut();
  expect((await reading).done).toBe(true);
  expect((await connection.closed).code).toBe(1006);
  bring();
  expect((await iterator.next()).done).toBe(true);
  connection.send(frame);
  connection.close(1000);
  expect([sent, closes]).toEqual([[], []]);
});

test('a cut loses the connections of all transports, and one that is being opened', async () => {
  const opening = Promise.withResolvers<Connection>();
  const slow: Transport = { name: 'slow', dial: () => opening.promise };
  const { transports, cut } = cuttableNetwork([link().transport, link().transport, slow]);
  const dialed = transports.map((transport) => transport.dial({}, signal));
  const early = await Promise.all(dialed.slice(0, 2));
  cut();
  opening.resolve(await link().transport.dial({}, signal));
  const ends = [...early, await dialed[2]].map(async (connection) => (await connection?.closed)?.code);
  expect(await Promise.all(ends)).toEqual([1006, 1006, 1006]);
  expect(transports.map(({ name }) => name)).toEqual(['test', 'test', 'slow']);
});

test('offline on purpose, no connection is opened until the time is over', async () => {
  let now = 0;
  const { dial, cut } = over(link().transport, () => now);
  cut(5000);
  now = 4999;
  await expect(dial()).rejects.toThrow('offline on purpose');
  now = 5000;
  await expect(dial()).resolves.toBeDefined();
});

// One exchange, recorded, then cut at each of its bytes in turn. A process of its own, so that several can share the
// work: `cut-at-every-byte.ts up 1 4`, the direction and which part of how many. Says how many cuts it made; what was
// not whole ends it with an error that names the byte.

import { type Direction, type FaultProxy, faultProxy, type LinkFaults } from '@haip/testing/fault-proxy';
import {
  beginNeighbour,
  exchange,
  expectWholeExchange,
  makeClient,
  type RealServer,
  startServer,
} from './real-pair.ts';

const atOnce = 16;

/** How many bytes an exchange without faults takes on that way. Later ones take no less: ids of the server grow. */
async function recordExchange(server: RealServer, way: Direction): Promise<number> {
  const proxy = await faultProxy({ target: server.port });
  const { client } = makeClient(proxy.port, { user: 'recorded' });
  await client.connect();
  expectWholeExchange(await exchange(client));
  const recorded = proxy.last.bytes[way];
  client.disconnect();
  await proxy.close();
  return recorded;
}

/** Cuts an exchange after `byte` bytes that way. False when it was over before. */
async function cutExchange(proxy: FaultProxy, way: Direction, byte: number): Promise<boolean> {
  const first = proxy.links.length;
  const cut: LinkFaults = { [way]: { cutAtByte: byte }, cutBy: byte % 2 === 0 ? 'reset' : 'fin' };
  proxy.impose((link) => (link === first ? cut : {}));
  const { client } = makeClient(proxy.port, { user: `cut${String(byte).padStart(5, '0')}` });
  await client.connect();
  expectWholeExchange(await exchange(client), `cut at byte ${byte} ${way}`);
  const wasCut = proxy.links.length > first + 1;
  client.disconnect();
  return wasCut;
}

/** Cuts at every `parts`-th byte, beginning with byte `part`. Gives how many cuts there were. */
async function cutAtEveryByte(way: Direction, part: number, parts: number): Promise<{ bytes: number; cuts: number }> {
  const server = await startServer();
  const neighbour = await beginNeighbour(server.port);
  const bytes = await recordExchange(server, way);
  let next = part;
  let cuts = 0;
  const work = async (_: unknown, worker: number): Promise<void> => {
    const proxy = await faultProxy({ target: server.port });
    for (let byte = next; byte <= bytes; byte = next) {
      next += parts;
      if (await cutExchange(proxy, way, byte)) cuts++;
      if (worker === 0) await neighbour.say();
    }
    await proxy.close();
  };
  await Promise.all(Array.from({ length: atOnce }).map(work));
  neighbour.expectWhole();
  neighbour.client.disconnect();
  await server.close();
  return { bytes, cuts };
}

const [way, part, parts] = process.argv.slice(2);
console.log(JSON.stringify(await cutAtEveryByte(way as Direction, Number(part), Number(parts))));

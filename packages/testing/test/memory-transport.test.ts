import { type Connection, defaultCodecLimits } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import {
  fakeClock,
  type MemoryTransportOptions,
  memoryTransport,
  type OpenTransport,
  settle,
  type TransportLaw,
  transportLaws,
  transportSuite,
} from '../src/index.ts';

/** A memory transport whose ends a test may spoil before anybody sees them. */
function openMemory(
  spoil: (connection: Connection) => Connection = (connection) => connection,
  options: MemoryTransportOptions = {},
): OpenTransport {
  const waiting: ((connection: Connection) => void)[] = [];
  const arrived: Connection[] = [];
  const memory = memoryTransport(async (connection) => {
    const taker = waiting.shift();
    if (taker) taker(spoil(connection));
    else arrived.push(spoil(connection));
  }, options);
  return {
    transport: { name: 'memory', dial: async (options, signal) => spoil(await memory.dial(options, signal)) },
    accepted: async () => arrived.shift() ?? new Promise((resolve) => waiting.push(resolve)),
    cut: () => memory.links.forEach((link) => void link.cut()),
    refuse: () => memory.refuse(),
    open: () => memory.links.filter((link) => link.open).length,
    close: () => memory.links.forEach((link) => void link.cut()),
  };
}

transportSuite({ name: 'memoryTransport', open: () => openMemory() });
transportSuite({
  name: 'memoryTransport without bytes',
  open: () => openMemory(undefined, { binary: false }),
  supports: { binary: false },
});

/** A connection with some of its members replaced. */
function spoilt(connection: Connection, change: Partial<Connection>): Connection {
  return new Proxy(connection, {
    get(target, key) {
      if (Object.hasOwn(change, key)) return Reflect.get(change, key);
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const spoilers: Record<string, (connection: Connection) => Connection> = {
  'swaps neighbours': (connection) => {
    let held: Parameters<Connection['send']>[0] | undefined;
    return spoilt(connection, {
      send(frame) {
        if (held === undefined) {
          held = frame;
          queueMicrotask(() => {
            if (held === frame) void connection.send(frame);
            held = undefined;
          });
          return;
        }
        void connection.send(frame);
        void connection.send(held);
        held = undefined;
      },
    });
  },
  'never makes a writer wait': (connection) => spoilt(connection, { send: (frame) => void connection.send(frame) }),
  'forgets the reason': (connection) => spoilt(connection, { close: (code) => connection.close(code) }),
  'forgets the delay': (connection) => spoilt(connection, { close: (code, reason) => connection.close(code, reason) }),
  'drops the bytes': (connection) =>
    spoilt(connection, {
      send: ({ text }) => connection.send({ text: text.replace(/,"bin_len":\d+/, ''), shared: false }),
    }),
  'hides faults': (connection) =>
    spoilt(connection, {
      async *[Symbol.asyncIterator]() {
        for await (const batch of connection) {
          const good = batch.filter((item) => 'envelope' in item);
          if (good.length > 0) yield good;
        }
      },
    }),
  'closes before what was sent': (connection) =>
    spoilt(connection, {
      send: (frame) => void settle(1).then(() => connection.send(frame)),
    }),
  'throws after the end': (connection) => {
    let isOver = false;
    void connection.closed.then(() => {
      isOver = true;
    });
    return spoilt(connection, {
      send(frame) {
        if (isOver) throw new Error('closed');
        return connection.send(frame);
      },
    });
  },
  'ignores probes': (connection) => spoilt(connection, { probe: () => {} }),
  'never tells that anything was taken': (connection) => spoilt(connection, { written: 0 }),
  'takes for written what only waits': (connection) => {
    let written = 0;
    return spoilt(connection, {
      get written() {
        return written++;
      },
    });
  },
};

/** The first law that does not hold; undefined when all do. */
async function firstBroken(open: () => OpenTransport, binary = true): Promise<string | undefined> {
  const can = { binary, pause: true, clientProbe: true, progress: true };
  for (const law of transportLaws.filter(({ needs }) => needs?.(can) ?? true)) {
    if (!(await passes(law, open()))) return law.name;
  }
  return undefined;
}

/** A law that is still at it after so many turns is waiting for what will never come. */
async function passes(law: TransportLaw, opened: OpenTransport): Promise<boolean> {
  const passed = law.run(opened).then(
    () => true,
    () => false,
  );
  const result = await Promise.race([passed, settle(2000).then(() => false)]);
  await opened.close();
  return result;
}

describe('the suite for transports', () => {
  test('finds nothing wrong with a sound one', async () => {
    expect(await firstBroken(() => openMemory())).toBeUndefined();
    expect(await firstBroken(() => openMemory(undefined, { binary: false }), false)).toBeUndefined();
  });

  test.each(Object.entries(spoilers))('catches a transport that %s', async (_, spoil) => {
    expect(await firstBroken(() => openMemory(spoil))).toBeTypeOf('string');
  });

  test.each([-1, 1])('catches a transport that takes %i bytes more in base64 than it should', async (more) => {
    const { maxBinaryBytes } = defaultCodecLimits;
    const serverLimits = { ...defaultCodecLimits, maxBinaryBytes: maxBinaryBytes + more };
    expect(await firstBroken(() => openMemory(undefined, { binary: false, serverLimits }), false)).toMatch(/base64/);
  });
});

describe('memoryTransport', () => {
  test('a refused dial fails as often as asked, then goes through', async () => {
    const transport = memoryTransport(async () => {});
    transport.refuse(2);
    const dial = () => transport.dial({}, new AbortController().signal);
    await expect(dial()).rejects.toThrow('refused');
    await expect(dial()).rejects.toThrow('refused');
    await dial();
    expect([transport.dials, transport.links.length, transport.last.open]).toEqual([3, 1, true]);
  });

  test('with latency a dial takes one round trip, and an abort on the way leaves no timer', async () => {
    const clock = fakeClock();
    const transport = memoryTransport(async () => {}, { clock, latencyMs: 50 });
    let isOpen = false;
    void transport.dial({}, new AbortController().signal).then(() => {
      isOpen = true;
    });
    await clock.advance(99);
    expect(isOpen).toBe(false);
    await clock.advance(1);
    expect(isOpen).toBe(true);
    const abort = new AbortController();
    const rejected = expect(transport.dial({}, abort.signal)).rejects.toBe('no');
    abort.abort('no');
    await rejected;
    expect([clock.pending, transport.links.length]).toEqual([0, 1]);
  });

  test('the server is told the transport, the headers and the address', async () => {
    const infos: unknown[] = [];
    const accept = async (_: Connection, info: unknown) => void infos.push(info);
    const transport = memoryTransport(accept, { headers: { origin: 'https://a.example' }, remoteAddress: '10.0.0.1' });
    await transport.dial({}, new AbortController().signal);
    expect(infos).toEqual([
      { transport: 'memory', headers: { origin: 'https://a.example' }, remoteAddress: '10.0.0.1' },
    ]);
  });
});

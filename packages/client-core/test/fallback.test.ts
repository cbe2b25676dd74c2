import type { Transport } from '@haip/protocol';
import { type MemoryTransport, memoryTransport } from '@haip/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ClientOptions, HAIPClient } from '../src/index.ts';
import { type ServerPeer, setUp } from './scripted-server.ts';

/** A client with three transports to one scripted server, in order of preference. */
function threeWays(options: Partial<ClientOptions> = {}) {
  const { clock, accept, nextPeer, peers } = setUp();
  const [first, second, third] = ['first', 'second', 'third'].map((name) =>
    memoryTransport(accept, { clock, name }),
  ) as [MemoryTransport, MemoryTransport, MemoryTransport];
  const transports = [first, second, third];
  const client = new HAIPClient({ transports, clock, random: () => 0.5, logger: () => {}, ...options });
  onTestFinished(async () => {
    client.disconnect();
    await clock.settle();
    expect(clock.pending).toBe(0);
    expect(transports.flatMap(({ links }) => links).filter(({ open }) => open)).toEqual([]);
  });
  const dials = () => transports.map((transport) => transport.dials);
  const carrier = () => (client.state.name === 'connected' ? client.state.transport : client.state.name);
  return { client, clock, nextPeer, peers, first, second, third, dials, carrier };
}

/** Answers the PING that asks whether the transport delivers. */
async function deliver(peer: ServerPeer): Promise<void> {
  const { id } = await peer.until('PING');
  peer.send({ type: 'PONG', related_id: id });
}

describe('a transport that opens and does not deliver', () => {
  it('F12: is left for the next one when nothing comes within 3 s of its HAI [HTTP-4]', async () => {
    const { client, clock, nextPeer, carrier } = threeWays();
    let next = nextPeer();
    client.connect().catch(() => {});
    const held = await next;
    await held.welcome();
    await held.until('PING');
    await clock.advance(2_999);
    expect(carrier()).toBe('first');
    next = nextPeer();
    await clock.advance(1);
    const peer = await next;
    expect((await held.raw.closed).code).toBe(1000);
    const hai = await peer.welcome();
    expect(hai.payload).toMatchObject({ resume_token: 'secret', attempt: '2' });
    await deliver(peer);
    await clock.advance(10_000);
    expect(carrier()).toBe('second');
  });

  it('F12: is left also when it brought something in a clump and then nothing [HTTP-4]', async () => {
    const { client, clock, nextPeer, carrier, first } = threeWays();
    let next = nextPeer();
    client.connect().catch(() => {});
    const peer = await next;
    await peer.welcome();
    await peer.until('PING');
    first.last.stall('down');
    for (let i = 0; i < 3; i++) peer.send({ type: 'INFO', payload: { kind: 'typing' } });
    await clock.advance(2_000);
    first.last.trickle('down', 3);
    await clock.advance(3_999);
    expect(carrier()).toBe('first');
    next = nextPeer();
    await clock.advance(1);
    await (await next).welcome();
    await clock.settle();
    expect(carrier()).toBe('second');
  });

  it('F19: keeps the session while a backlog comes before the answer', async () => {
    const { client, clock, nextPeer, carrier, dials } = threeWays();
    const next = nextPeer();
    client.connect().catch(() => {});
    const peer = await next;
    await peer.welcome();
    for (let second = 0; second < 60; second += 2) {
      peer.send({ type: 'INFO', payload: { kind: 'typing' } });
      await clock.advance(2_000);
    }
    await deliver(peer);
    await clock.advance(10_000);
    expect(carrier()).toBe('first');
    expect(dials()).toEqual([1, 0, 0]);
  });

  it('F36: is not blamed for a while in which the machine stood still', async () => {
    const { client, clock, nextPeer, carrier } = threeWays();
    const next = nextPeer();
    client.connect().catch(() => {});
    await (await next).welcome();
    await clock.settle();
    await clock.stall(10_000);
    expect(carrier()).toBe('first');
    await clock.advance(3_000);
    expect(carrier()).toBe('connecting');
  });

  it('is not doubted when there is no other left: a slow network is better than none', async () => {
    const { client, clock, nextPeer, first, second, carrier, dials } = threeWays();
    first.refuse();
    second.refuse();
    const next = nextPeer();
    client.connect().catch(() => {});
    const peer = await next;
    await peer.welcome();
    await clock.advance(15_000);
    expect(carrier()).toBe('third');
    expect(peer.types).toEqual(['HAI']);
    expect(dials()).toEqual([1, 1, 1]);
  });

  it('deliverTimeoutMs says how long it has', async () => {
    const { client, clock, nextPeer, carrier } = threeWays({ deliverTimeoutMs: 500 });
    let next = nextPeer();
    client.connect().catch(() => {});
    await (await next).welcome();
    next = nextPeer();
    await clock.advance(500);
    await (await next).welcome();
    await clock.settle();
    expect(carrier()).toBe('second');
  });

  it('raises attempt with each HAI, so that one which comes late is known as the older [HAI-15]', async () => {
    const { client, clock, peers } = threeWays();
    client.connect().catch(() => {});
    for (let i = 0; i < 3; i++) await clock.advance(10_000);
    const attempts = peers.map(({ received }) => received[0]?.payload.attempt);
    expect(attempts).toEqual(['1', '2', '3']);
  });

  it('asks for credentials once, however many transports are tried with them', async () => {
    const { client, clock, nextPeer, first, second } = threeWays();
    let asked = 0;
    client.authenticate(() => ({ token: `t-${++asked}` }));
    first.refuse();
    second.refuse();
    const next = nextPeer();
    client.connect().catch(() => {});
    expect((await (await next).welcome()).payload.auth).toEqual({ token: 't-1' });
    await clock.settle();
    expect(asked).toBe(1);
  });
});

describe('the transport that worked', () => {
  /** Connected over the third, since the others do not open. */
  async function lesser(options: Partial<ClientOptions> = {}) {
    const all = threeWays(options);
    all.first.refuse();
    all.second.refuse();
    const next = all.nextPeer();
    const connecting = all.client.connect();
    const peer = await next;
    await peer.welcome();
    await connecting;
    /** Lets time pass; the server answers whoever asks for a sign of life. */
    async function pass(ms: number): Promise<void> {
      for (let passed = 0; passed < ms; passed += 5_000) {
        for (const each of all.peers) each.send({ type: 'PONG' });
        await all.clock.advance(5_000);
      }
    }
    return { ...all, peer, pass };
  }

  it('is tried first after a cut, and then the others as they are preferred', async () => {
    const { clock, third, dials } = await lesser();
    third.last.cut();
    third.refuse();
    await clock.advance(200);
    expect(dials()).toEqual([2, 2, 2]);
  });

  it('is left for a better one that opens after 5 min, without a break', async () => {
    const { client, first, second, nextPeer, pass, carrier, peer, dials } = await lesser();
    first.refuse(0);
    second.refuse(0);
    const next = nextPeer();
    await pass(295_000);
    expect(dials()).toEqual([1, 1, 1]);
    const states: string[] = [];
    client.on('state', ({ name }) => states.push(name));
    await pass(5_000);
    const better = await next;
    expect(carrier()).toBe('third');
    await better.welcome();
    await peer.raw.closed;
    expect(carrier()).toBe('first');
    expect(states).toEqual(['connected']);
    await deliver(better);
    await pass(600_000);
    expect(dials()).toEqual([2, 1, 1]);
  });

  it('stays where no better one opens, which are tried in turn every 5 min, over reconnects too', async () => {
    const { pass, dials, third, clock, nextPeer, carrier } = await lesser();
    for (let minute = 0; minute < 11; minute++) {
      await pass(55_000);
      const next = nextPeer();
      third.last.cut();
      await clock.advance(200);
      await (await next).welcome();
      await clock.settle();
    }
    expect(carrier()).toBe('third');
    expect(dials()).toEqual([2, 2, 12]);
  });

  it('preferAfterMs says how often a better one is tried', async () => {
    const { pass, dials } = await lesser({ preferAfterMs: 20_000 });
    await pass(60_000);
    expect(dials()).toEqual([3, 2, 1]);
  });
});

it('F39: durations of the fallback outside what a timer can wait are refused', () => {
  const transports: Transport[] = [memoryTransport(async () => {})];
  expect(() => new HAIPClient({ transports, deliverTimeoutMs: -1 })).toThrow('deliverTimeoutMs');
  expect(() => new HAIPClient({ transports, preferAfterMs: 2 ** 31 })).toThrow('preferAfterMs');
});

import { describe, expect, it } from 'vitest';
import { setUp } from './scripted-server.ts';

const pings = (types: string[]): number => types.filter((type) => type === 'PING').length;

describe('the heartbeat', () => {
  it('asks after 20 s of hearing nothing, and an answer keeps the link [CLOSE-2]', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    await clock.advance(19_999);
    expect(pings(peer.types)).toBe(0);
    await clock.advance(1);
    expect(pings(peer.types)).toBe(1);
    peer.send({ type: 'PONG', payload: {} });
    await clock.advance(10_000);
    expect(client.state.name).toBe('connected');
    await clock.advance(10_000);
    expect(pings(peer.types)).toBe(2);
  });

  it('F5 F6: without an answer the link is dead 10 s later, and the client reconnects [CLOSE-2]', async () => {
    const { client, clock, connected, transport, reconnected } = setUp();
    await connected();
    transport.last.mute('down');
    await clock.advance(29_999);
    expect(client.state.name).toBe('connected');
    await clock.advance(1);
    expect(client.state).toMatchObject({ name: 'waiting', reason: { code: 'silent' } });
    const again = await reconnected();
    expect((await again.until('HAI')).payload.resume_token).toBe('secret');
  });

  it('anything heard puts the end off, the link’s own signs of life included', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    await clock.advance(15_000);
    peer.send({ type: 'INFO', payload: { kind: 'typing' } });
    await clock.advance(15_000);
    peer.raw.connection.probe();
    await clock.advance(20_000);
    expect(client.state.name).toBe('connected');
    await clock.advance(15_000);
    expect(client.state).toMatchObject({ name: 'waiting', reason: { code: 'silent' } });
  });

  it('F19: who only reads gives a sign of life every 20 s, and wants no answer to it [CLOSE-8]', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    for (let second = 0; second < 60; second += 5) {
      expect(pings(peer.types)).toBe(Math.floor(second / 20));
      peer.send({ type: 'INFO', payload: { kind: 'typing' } });
      await clock.advance(5_000);
    }
    expect(pings(peer.types)).toBe(3);
    expect(client.state.name).toBe('connected');
  });

  it('I18: leaves no timer behind when something wakes after the end', async () => {
    const { client, clock, connected } = setUp();
    await connected();
    client.disconnect();
    await clock.settle();
    client.reconnectNow();

    expect(clock.pending).toBe(0);
  });

  it('answers PING by PONG with its payload [CLOSE-3]', async () => {
    const { connected } = setUp();
    const peer = await connected();
    peer.send({ type: 'PING', id: 'p-1', payload: { nonce: 7 } });
    expect(await peer.until('PONG')).toMatchObject({ related_id: 'p-1', payload: { nonce: 7 }, seq: '2' });
  });

  it('F15: after a jump of the clock it asks at once, and gives the peer its full time', async () => {
    const { client, started, peers, sleeper } = withSleep();
    await started();
    sleeper.sleep(600_000);
    await sleeper.clock.advance(20_000);
    const peer = peers[0];
    expect(pings(peer?.types ?? [])).toBe(1);
    expect(client.state.name).toBe('connected');
    peer?.send({ type: 'PONG' });
    await sleeper.clock.advance(10_000);
    expect(client.state.name).toBe('connected');
  });

  it('F15: a sleep while it waits for an answer asks again instead of giving up', async () => {
    const { client, clock, started, peers, sleeper } = withSleep();
    await started();
    await clock.advance(20_000);
    sleeper.sleep(600_000);
    await clock.advance(10_000);
    const peer = peers[0];
    expect(pings(peer?.types ?? [])).toBe(2);
    expect(client.state.name).toBe('connected');
    await clock.advance(10_000);
    expect(client.state.name).toBe('waiting');
  });
});

describe('waking', () => {
  function withWake() {
    let woken = (): void => {};
    let listening = 0;
    const all = setUp({
      wake: (listener) => {
        woken = listener;
        listening++;
        return () => {
          listening--;
        };
      },
    });
    return { ...all, wakeUp: () => woken(), listening: () => listening };
  }

  it('F15, F61: the server is asked at once, and without an answer the link is dead in half the usual time [CLOSE-2]', async () => {
    const { client, clock, connected, transport, wakeUp } = withWake();
    const peer = await connected();
    await clock.advance(1_000);
    wakeUp();
    await clock.settle();
    expect(pings(peer.types)).toBe(1);
    peer.send({ type: 'PONG' });
    await clock.advance(10_000);
    expect(client.state.name).toBe('connected');
    transport.last.mute('down');
    wakeUp();
    await clock.advance(4_999);
    // Signs come in twos and threes: none of them moves the deadline.
    wakeUp();
    expect(client.state.name).toBe('connected');
    await clock.advance(1);
    expect(client.state).toMatchObject({ name: 'waiting', reason: { code: 'silent' } });
    expect(pings(peer.types)).toBe(2);
  });

  it('F61: a wait for the next attempt ends at once, and leaves no timer', async () => {
    const { client, clock, connected, transport, wakeUp, listening, nextPeer } = withWake();
    await connected();
    expect(listening()).toBe(1);
    transport.last.cut();
    await clock.settle();
    expect(client.state.name).toBe('waiting');
    const next = nextPeer();
    wakeUp();
    await (await next).welcome();
    await clock.settle();
    expect(client.state.name).toBe('connected');
    client.disconnect();
    await clock.settle();
    expect(listening()).toBe(0);
    expect(clock.pending).toBe(0);
    wakeUp();
    client.reconnectNow();
    await clock.advance(60_000);
    expect(transport.dials).toBe(2);
  });

  it('reconnectNow does the same when a person asks for it', async () => {
    const { client, clock, connected, transport, nextPeer } = setUp();
    client.reconnectNow();
    const peer = await connected();
    client.reconnectNow();
    await clock.settle();
    expect(pings(peer.types)).toBe(1);
    transport.last.cut();
    await clock.settle();
    const next = nextPeer();
    client.reconnectNow();
    await (await next).welcome();
    expect(transport.dials).toBe(2);
  });
});

/** A client whose clock can jump while its timers stand still, as in a machine that sleeps. */
function withSleep() {
  let slept = 0;
  const sleepy = setUp();
  const { clock } = sleepy;
  const all = setUp({
    clock: {
      now: () => clock.now() + slept,
      monotonic: () => clock.monotonic() + slept,
      timer: (ms, fire) => clock.timer(ms, fire),
    },
  });
  const sleep = (ms: number): void => {
    slept += ms;
  };
  return { ...all, clock, sleeper: { clock, sleep } };
}

import { eventTypes } from '@haip/protocol';
import { memoryTransport } from '@haip/testing';
import { describe, expect, it } from 'vitest';
import { type ClientState, HAIPClient } from '../src/index.ts';
import { type ServerPeer, setUp } from './scripted-server.ts';

describe('the handshake', () => {
  it('says version, majors, every entry type there is, capabilities, credentials and attempt [ACK-1] [HAI-19]', async () => {
    const { client, connected } = setUp();
    client.authenticate(() => ({ token: 'Bearer TOKEN' }));
    const peer = await connected();
    const [hai] = peer.received;
    expect(hai).toMatchObject({ type: 'HAI', seq: '1', transaction: null, channel: 'SYSTEM', session: '' });
    const { accept_events, ...rest } = hai?.payload ?? {};
    expect(rest).toEqual({
      haip_version: '1.1.2',
      accept_major: [1],
      capabilities: {
        binary_frames: true,
        transaction_log: true,
        flow_control: { initial_credit_messages: 1024, initial_credit_bytes: 1_048_576 },
      },
      auth: { token: 'Bearer TOKEN' },
      attempt: '1',
    });
    const stored = Object.entries(eventTypes).filter(([, { stored }]) => stored);
    const entries = [...stored.map(([type]) => type), 'RUN_STARTED', 'RUN_FINISHED', 'RUN_ERROR'];
    expect([...accept_events].sort()).toEqual([...new Set(entries)].sort());
    expect(client.state).toEqual({ name: 'connected', session: 'me', transport: 'memory' });
  });

  it('asks for credentials at each attempt, raises attempt, brings its token and its cursors [HAI-18] [CLOSE-1]', async () => {
    const { client, transport, started, reconnected, log } = setUp();
    let calls = 0;
    client.authenticate(async () => ({ token: `canary-${++calls}` }));
    const { peer, chat } = await started();
    peer.entry(2);
    await chat.messages().next();
    transport.last.cut();
    const again = await reconnected();
    const hai = await again.welcome();
    expect(hai.payload).toMatchObject({
      auth: { token: 'canary-2' },
      resume_token: 'secret',
      attempt: '2',
      resume: [{ transaction: 'T', epoch: 'E', seq: '2' }],
    });
    expect(JSON.stringify(log)).not.toContain('canary');
  });

  it('takes what comes behind the HAI in the same read', async () => {
    const { client, nextPeer } = setUp();
    const next = nextPeer();
    const connecting = client.connect();
    const peer = await next;
    await peer.welcome();
    peer.send({ type: 'PING', id: 'ping', payload: { n: 1 } });
    await connecting;
    const pong = await peer.until('PONG');
    expect(pong).toMatchObject({ payload: { n: 1 }, related_id: 'ping' });
  });

  it('F20: a second HAI of the server changes nothing', async () => {
    const { client, peers, started } = setUp();
    const { peer, chat } = await started();
    peer.send({ type: 'HAI', session: 'somebody', payload: {} });
    peer.entry(2);
    await chat.messages().next();
    expect(client.state).toEqual({ name: 'connected', session: 'me', transport: 'memory' });
    expect(chat.cursor.position).toBe(2);
    expect(peers).toHaveLength(1);
  });

  it('refuses a server without a version in common and stays away [HAI-4]', async () => {
    const { client, clock, nextPeer } = setUp();
    const next = nextPeer();
    const failing = expect(client.connect()).rejects.toMatchObject({ code: 'VERSION_INCOMPATIBLE' });
    await (await next).welcome({ haip_version: '2.0', accept_major: [2] });
    await failing;
    expect(client.state.name).toBe('disconnected');
    expect(clock.pending).toBe(0);
  });
});

/** Says no to a HAI. */
async function refuse(peer: ServerPeer): Promise<void> {
  const hai = await peer.until('HAI');
  peer.error(hai, { code: 'AUTHENTICATION_FAILED', message: 'the credentials were not accepted', retry: false });
  peer.raw.connection.close(1008);
}

describe('before connect', () => {
  it('whatever needs a connection says what to call', async () => {
    const { client, transport } = setUp();
    const failing = { code: 'closed', message: 'Not connected: call connect() first.' };
    await expect(client.startTransaction('echo')).rejects.toMatchObject(failing);
    await expect(client.joinTransaction('T')).rejects.toMatchObject(failing);
    await expect(client.listTransactions()).rejects.toMatchObject(failing);
    expect(transport.dials).toBe(0);
  });
});

describe('credentials', () => {
  it('refused by the server twice: connect rejects with the code and the client stays away [HAI-5] [HAI-21]', async () => {
    const { client, clock, nextPeer, transport } = setUp();
    const asked: boolean[] = [];
    client.authenticate(({ forced }) => asked.push(forced));
    const next = nextPeer();
    const failing = expect(client.connect()).rejects.toMatchObject({
      name: 'RefusedError',
      code: 'AUTHENTICATION_FAILED',
      retry: false,
    });
    const second = nextPeer();
    await refuse(await next);
    await refuse(await second);
    await failing;
    await clock.advance(60_000);
    expect(transport.dials).toBe(2);
    expect(asked).toEqual([false, true]);
    expect(client.state).toMatchObject({ name: 'disconnected', reason: { code: 'AUTHENTICATION_FAILED' } });
  });

  it('that ran out are asked for anew at once, and what is new is taken [HAI-21]', async () => {
    const { client, clock, nextPeer, started, transport } = setUp();
    let token = 'kept';
    client.authenticate(({ forced }) => {
      if (forced) token = 'fresh';
      return { token };
    });
    const { peer, chat } = await started();
    const next = nextPeer();
    peer.send({ type: 'ERROR', payload: { code: 'AUTHENTICATION_FAILED', retry: false } });
    peer.raw.connection.close(1008);
    const again = await next;
    expect((await again.welcome()).payload).toMatchObject({
      auth: { token: 'fresh' },
      resume_token: 'secret',
      resume: [{ transaction: 'T' }],
    });
    await clock.advance(5_000);
    // Not even a fresh one held for long: no more is tried.
    again.send({ type: 'ERROR', payload: { code: 'AUTHENTICATION_FAILED', retry: false } });
    again.raw.connection.close(1008);
    await clock.settle();
    expect(client.state).toMatchObject({ name: 'disconnected', reason: { code: 'AUTHENTICATION_FAILED' } });
    expect(chat.closed).toMatchObject({ reason: { code: 'AUTHENTICATION_FAILED' } });
    expect(transport.dials).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('that run out again after a stable while are asked for anew again [HAI-21]', async () => {
    const { client, clock, nextPeer, connected } = setUp();
    const asked: boolean[] = [];
    client.authenticate(({ forced }) => asked.push(forced));
    let peer = await connected();
    for (let hour = 0; hour < 3; hour++) {
      await clock.advance(15_000);
      peer.send({ type: 'PONG' });
      await clock.advance(15_000);
      const next = nextPeer();
      peer.send({ type: 'ERROR', payload: { code: 'AUTHENTICATION_FAILED', retry: false } });
      peer.raw.connection.close(1008);
      peer = await next;
      await peer.welcome();
    }
    await clock.settle();
    expect(asked).toEqual([false, true, true, true]);
    expect(client.state.name).toBe('connected');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no token');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no token'))],
    ['gives what is no JSON', () => 10n],
  ])('a function that %s makes connect reject, and nothing is dialled', async (_what, credentials) => {
    const { client, transport, clock } = setUp();
    client.authenticate(credentials);
    await expect(client.connect()).rejects.toMatchObject({ code: 'authenticate', cause: expect.any(Error) });
    expect(transport.dials).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('a function that throws after the client was connected makes that attempt fail, and the next one asks again', async () => {
    const { client, transport, connected, reconnected } = setUp();
    await connected();
    let calls = 0;
    client.authenticate(() => {
      if (++calls === 1) throw new Error('offline');
      return { token: 'new' };
    });
    transport.last.cut();
    const peer = await reconnected();
    expect((await peer.until('HAI')).payload.auth).toEqual({ token: 'new' });
  });

  it('A41: a disconnect while the function still runs dials nothing afterwards', async () => {
    const { client, transport, clock } = setUp();
    const answer = Promise.withResolvers<unknown>();
    client.authenticate(() => answer.promise);
    const connecting = client.connect();
    await clock.settle();
    client.disconnect();
    await expect(connecting).rejects.toMatchObject({ code: 'closed' });
    answer.resolve({ token: 'late' });
    await clock.settle();
    expect(transport.dials).toBe(0);
    expect(clock.pending).toBe(0);
  });
});

describe('the one loop that reconnects', () => {
  const states = (client: HAIPClient): string[] => {
    const names: string[] = [];
    client.on('state', ({ name }: ClientState) => names.push(name));
    return names;
  };

  it('goes through its states, and disconnect stays disconnected [CLOSE-4]', async () => {
    const { client, clock, transport, connected, reconnected } = setUp();
    expect(client.state).toEqual({ name: 'idle' });
    const names = states(client);
    await connected();
    transport.last.cut();
    const peer = await reconnected();
    await peer.welcome();
    await clock.settle();
    client.disconnect();
    await clock.advance(120_000);
    expect(names).toEqual(['connecting', 'connected', 'waiting', 'connecting', 'connected', 'disconnected']);
    expect(transport.dials).toBe(2);
    expect(transport.last.open).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('waits with full jitter that doubles to 20 s, and a short time again after 30 s of a stable link [CLOSE-5]', async () => {
    const { client, clock, transport, connected, reconnected } = setUp({ random: () => 0.999_999 });
    const waits: number[] = [];
    client.on('state', (state) => {
      if (state.name === 'waiting') waits.push(state.retryInMs);
    });
    await connected();
    transport.refuse(9);
    transport.last.cut();
    const second = await reconnected();
    expect(waits).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 20_000, 20_000, 20_000]);
    await second.welcome();
    await clock.advance(15_000);
    transport.last.cut();
    const third = await reconnected();
    expect(waits.at(-1)).toBe(20_000);
    await third.welcome();
    await clock.advance(15_000);
    third.send({ type: 'PONG' });
    await clock.advance(15_000);
    transport.last.cut();
    await clock.settle();
    expect(waits.at(-1)).toBe(200);
    client.disconnect();
  });

  it('respects how long the server asks to be left alone [CLOSE-9]', async () => {
    const { client, clock, connected, transport } = setUp();
    const peer = await connected();
    peer.raw.connection.close(1013, 'overloaded', 60_000);
    await clock.settle();
    expect(client.state).toMatchObject({ name: 'waiting', retryInMs: 60_150 });
    await clock.advance(60_149);
    expect(transport.dials).toBe(1);
    await clock.advance(1);
    expect(transport.dials).toBe(2);
  });

  it.each([1001, 1006, 1011, 1012, 1013, 4008, 4408, 4429] as const)(
    'close %i: resumes with its token [CLOSE-1]',
    async (code) => {
      const { connected, transport, reconnected } = setUp();
      const peer = await connected();
      if (code === 1006) transport.last.cut();
      else peer.raw.connection.close(code);
      const again = await reconnected();
      expect((await again.until('HAI')).payload.resume_token).toBe('secret');
    },
  );

  it.each([1002, 1003, 1007, 1009] as const)('close %i: begins as a new session [CLOSE-1]', async (code) => {
    const { connected, reconnected } = setUp();
    const peer = await connected();
    peer.raw.connection.close(code);
    const again = await reconnected();
    expect((await again.until('HAI')).payload).not.toHaveProperty('resume_token');
  });

  it.each([1000, 1008] as const)('close %i: stays away [CLOSE-1]', async (code) => {
    const { client, clock, connected, transport } = setUp();
    const peer = await connected();
    peer.raw.connection.close(code);
    await clock.advance(120_000);
    expect(client.state).toMatchObject({
      name: 'disconnected',
      reason: { name: 'ConnectionEndedError', closeCode: code },
    });
    expect(transport.dials).toBe(1);
  });

  it('F18: superseded (4409) it does not come back by itself [HAI-16]', async () => {
    const { client, clock, connected, transport } = setUp();
    const peer = await connected();
    peer.raw.connection.close(4409);
    await clock.advance(120_000);
    expect(client.state).toMatchObject({ name: 'disconnected', reason: { closeCode: 4409, retry: false } });
    expect(transport.dials).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('superseded before its HAI was answered it drops the token and begins as a new session [HAI-16]', async () => {
    const { connected, transport, reconnected } = setUp();
    await connected();
    transport.last.cut();
    const second = await reconnected();
    expect((await second.until('HAI')).payload).toMatchObject({ resume_token: 'secret', attempt: '2' });
    second.raw.connection.close(4409);
    const third = await reconnected();
    const { payload } = await third.until('HAI');
    expect(payload).not.toHaveProperty('resume_token');
    expect(payload.attempt).toBe('3');
  });

  it('gives an attempt 10 s, and closes a link that opens but never says HAI', async () => {
    const { client, clock, nextPeer, transport } = setUp();
    const next = nextPeer();
    const connecting = client.connect();
    const peer = await next;
    await clock.advance(9_999);
    expect(client.state.name).toBe('connecting');
    await clock.advance(1);
    expect(client.state).toMatchObject({ name: 'waiting', reason: { code: 'timeout' } });
    expect(transport.last.open).toBe(false);
    expect((await peer.raw.closed).code).toBe(1000);
    client.disconnect();
    await expect(connecting).rejects.toMatchObject({ code: 'closed' });
  });

  it('a dial that never comes back is given up, and one that opens after that is closed', async () => {
    const { client, clock, accept, nextPeer } = setUp();
    const late = Promise.withResolvers<void>();
    const memory = memoryTransport(accept, { clock });
    const slow = new HAIPClient({
      transports: [
        {
          name: 'slow',
          dial: (options) => late.promise.then(() => memory.dial(options, new AbortController().signal)),
        },
      ],
      clock,
      logger: () => {},
    });
    const connecting = slow.connect();
    const next = nextPeer();
    await clock.advance(10_000);
    expect(slow.state.name).toBe('waiting');
    slow.disconnect();
    await expect(connecting).rejects.toMatchObject({ code: 'closed' });
    late.resolve();
    await clock.settle();
    expect((await (await next).raw.closed).code).toBe(1000);
    expect(memory.last.open).toBe(false);
    expect(clock.pending).toBe(0);
    expect(client.state.name).toBe('idle');
  });

  it('passes over a transport that does not open for the next one, and begins with the one that worked', async () => {
    const { clock, accept, nextPeer } = setUp();
    const first = memoryTransport(accept, { name: 'first' });
    const second = memoryTransport(accept, { name: 'second' });
    first.refuse();
    const client = new HAIPClient({ transports: [first, second], clock, logger: () => {} });
    const next = nextPeer();
    const connecting = client.connect();
    await (await next).welcome();
    await connecting;
    expect([first.dials, second.dials]).toEqual([1, 1]);
    second.last.cut();
    await clock.advance(1_000);
    expect([first.dials, second.dials]).toEqual([1, 2]);
    client.disconnect();
  });

  it('A41: a disconnect at any moment of connecting leaves no link and no timer', async () => {
    for (let turns = 0; turns < 40; turns++) {
      const { client, clock, transport } = setUp();
      const connecting = client.connect();
      for (let turn = 0; turn < turns; turn++) await undefined;
      client.disconnect();
      await expect(connecting).rejects.toMatchObject({ code: 'closed' });
      await clock.settle();
      expect(transport.links.filter(({ open }) => open)).toEqual([]);
      expect(clock.pending).toBe(0);
      expect(client.state.name).toBe('disconnected');
    }
  });

  it('connects again after a disconnect, and what the old loop still had underway changes nothing', async () => {
    const { client, clock, connected, transport } = setUp();
    await connected();
    client.disconnect();
    const peer = await connected();
    expect(client.state.name).toBe('connected');
    expect(transport.links.filter(({ open }) => open)).toHaveLength(1);
    expect(peer.received[0]?.payload).not.toHaveProperty('resume_token');
    client.disconnect();
    await clock.settle();
    expect(clock.pending).toBe(0);
  });

  it('an abort of connect ends the attempts it began', async () => {
    const { client, clock, transport } = setUp();
    transport.refuse();
    const controller = new AbortController();
    const connecting = client.connect({ signal: controller.signal });
    await clock.advance(5_000);
    controller.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
    expect(client.state.name).toBe('disconnected');
    expect(clock.pending).toBe(0);
  });

  it('F1 F7: an unreadable frame ends the connection, and the client resumes after its cursor', async () => {
    const { client, log, started, reconnected } = setUp();
    const { peer } = await started();
    void peer.raw.sendText('{"half":');
    const again = await reconnected();
    expect((await again.until('HAI')).payload.resume).toEqual([{ transaction: 'T', epoch: 'E', seq: '1' }]);
    expect(log.map(({ event }) => event)).toContain('unreadable message');
    client.disconnect();
  });
});

describe('options', () => {
  const transports = [memoryTransport(async () => {})];

  it.each([
    ['connectTimeoutMs', { connectTimeoutMs: 2 ** 31 }],
    ['maxDelayMs', { reconnect: { maxDelayMs: Number.POSITIVE_INFINITY } }],
    ['stableAfterMs', { reconnect: { stableAfterMs: -1 } }],
    ['pingAfterMs', { heartbeat: { pingAfterMs: Number.NaN } }],
  ])('F39: %s outside what a timer can wait is refused', (name, options) => {
    expect(() => new HAIPClient({ transports, ...options })).toThrow(name);
  });

  it.each([
    ['windowMessages', { windowMessages: 0 }],
    ['windowBytes', { windowBytes: Number.NaN }],
  ])('%s without room for anything is refused', (name, options) => {
    expect(() => new HAIPClient({ transports, ...options })).toThrow(`${name}: expected 1 to 2147483647`);
  });

  it('a client without a transport is refused', () => {
    expect(() => new HAIPClient({ transports: [] })).toThrow(RangeError);
  });

  it('F39: a wait of the server beyond 2^31 ms is cut to what a timer can wait', async () => {
    const { client, clock, connected } = setUp();
    const peer = await connected();
    peer.raw.connection.close(1012, '', 2 ** 40);
    await clock.settle();
    expect(client.state).toMatchObject({ name: 'waiting', retryInMs: 2 ** 31 - 1 });
  });

  it('nothing can be asked of a client that is not connecting', async () => {
    const client = new HAIPClient({ transports });
    await expect(client.startTransaction('echo')).rejects.toMatchObject({ code: 'closed' });
    await expect(client.joinTransaction('T')).rejects.toMatchObject({ code: 'closed' });
    await expect(client.listTransactions()).rejects.toMatchObject({ code: 'closed' });
  });
});

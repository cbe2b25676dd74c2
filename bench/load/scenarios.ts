// What is measured, one function a row of the table. Each opens its own connections, warms up, and counts what came
// back during its time. Both servers get the same bytes.

import { openPeers, Peer } from './peer.ts';
import { frame } from './raw-client.ts';

/** How many units of work were done in how many milliseconds. `begin` and `end` frame the measured time. */
export interface Probe {
  begin(): Promise<void>;
  end(): Promise<void>;
}

interface Result {
  readonly units: number;
  readonly ms: number;
}

export type Scenario = (port: number, measureMs: number, probe: Probe) => Promise<Result>;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets things run warm, then counts for a while. */
async function during(measureMs: number, probe: Probe, count: () => number): Promise<Result> {
  await wait(measureMs / 4);
  await probe.begin();
  const from = performance.now();
  const before = count();
  await wait(measureMs);
  const units = count() - before;
  const ms = performance.now() - from;
  await probe.end();
  return { units, ms };
}

const ANSWER = Buffer.from('"channel":"AGENT"');

/** Each peer keeps `inFlight` messages on the way: an answer makes room for the next. */
export function echo(connections: number, inFlight: number): Scenario {
  return async (port, measureMs, probe) => {
    const peers = await openPeers(port, connections);
    let answers = 0;
    let over = false;
    for (const peer of peers) {
      await peer.start('echo');
      let room = 0;
      peer.onFrame = (chunk, from, to) => {
        const at = chunk.indexOf(ANSWER, from);
        if (at !== -1 && at < to) room++;
      };
      peer.onRead = () => {
        if (room === 0 || over) return;
        answers += room;
        const frames: Buffer[] = [];
        for (; room > 0; room--) frames.push(frame(peer.message()));
        peer.socket.write(frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames));
      };
    }
    for (const peer of peers) {
      peer.socket.write(Buffer.concat(Array.from({ length: inFlight }, () => frame(peer.message()))));
    }
    const result = await during(measureMs, probe, () => answers);
    over = true;
    for (const peer of peers) peer.destroy();
    return result;
  };
}

const PART = Buffer.from('"type":"MESSAGE_PART"');

/** Each of `streams` conversations gets one token in each turn of the server's event loop. */
export function tokens(streams: number): Scenario {
  return async (port, measureMs, probe) => {
    const peers = await openPeers(port, streams);
    let parts = 0;
    // About what a model answers.
    const perAnswer = 500;
    for (const peer of peers) {
      await peer.start('tokens');
      let left = perAnswer;
      peer.onFrame = (chunk, from, to) => {
        const at = chunk.indexOf(PART, from);
        if (at === -1 || at >= to) return;
        parts++;
        if (--left === 0) {
          left = perAnswer;
          peer.write(peer.message('tokens', String(perAnswer)));
        }
      };
    }
    for (const peer of peers) peer.write(peer.message('tokens', String(perAnswer)));
    const result = await during(measureMs, probe, () => parts);
    for (const peer of peers) peer.destroy();
    return result;
  };
}

const MESSAGE = Buffer.from('"type":"MESSAGE"');

/** One writes, a thousand read; the next message goes when the last reader has the one before. */
export function fanOut(readers: number): Scenario {
  return async (port, measureMs, probe) => {
    const [sender] = (await openPeers(port, 1)) as [Peer];
    await sender.start('room');
    const peers = await openPeers(port, readers);
    let delivered = 0;
    let round = 0;
    for (const peer of peers) {
      await peer.join(sender.transaction);
      peer.onFrame = (chunk, from, to) => {
        const at = chunk.indexOf(MESSAGE, from);
        if (at === -1 || at >= to) return;
        delivered++;
        if (++round === readers) {
          round = 0;
          sender.write(sender.message('room'));
        }
      };
    }
    sender.write(sender.message('room'));
    const result = await during(measureMs, probe, () => delivered);
    for (const peer of [sender, ...peers]) peer.destroy();
    return result;
  };
}

/** Open, HAI, answer, gone: over and over, fifty at a time. */
export const handshakes: Scenario = async (port, measureMs, probe) => {
  let done = 0;
  let over = false;
  const worker = async (): Promise<void> => {
    while (!over) {
      const peer = new Peer(port);
      await peer.hai();
      peer.destroy();
      done++;
    }
  };
  const workers = Array.from({ length: 50 }, worker);
  const result = await during(measureMs, probe, () => done);
  over = true;
  await Promise.all(workers);
  return result;
};

/** Sessions that said HAI and are silent. The units are sessions; what they cost is the server's to say. */
export function idle(sessions: number): Scenario {
  return async (port, _measureMs, probe) => {
    await probe.begin();
    const peers = await openPeers(port, sessions);
    await wait(200);
    await probe.end();
    for (const peer of peers) peer.destroy();
    return { units: sessions, ms: 1 };
  };
}

// What is measured, one function a row of the table, the same over every transport. Each opens its own connections,
// warms up, and counts what came back during its time. Both servers get the same envelopes.

import type { Route } from './link.ts';
import { openPeers, Peer } from './peer.ts';

/** The measured time: `begin` and `end` are awaited at its borders. */
export interface Probe {
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** From the moment a message was due to be sent until its answer was read, in microseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** How many units of work were done in how many milliseconds, and the bytes on the load's sockets for that. */
export interface Result {
  readonly units: number;
  readonly ms: number;
  readonly received: number;
  readonly sent: number;
  readonly latency?: Latency;
}

interface Run {
  readonly route: Route;
  readonly measureMs: number;
  readonly probe: Probe;
  /** Caps connections, readers and sessions. */
  readonly most: number;
}

export type Scenario = (run: Run) => Promise<Result>;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets things run warm, then counts for a while. */
async function during({ measureMs, probe }: Run, peers: readonly Peer[], count: () => number): Promise<Result> {
  await wait(measureMs / 4);
  await probe.begin();
  const from = performance.now();
  const before = { units: count(), ...bytesOf(peers) };
  await wait(measureMs);
  // However short the time, something is measured.
  while (count() === before.units) await wait(1);
  const after = { units: count(), ...bytesOf(peers) };
  const ms = performance.now() - from;
  await probe.end();
  return {
    units: after.units - before.units,
    ms,
    received: after.received - before.received,
    sent: after.sent - before.sent,
  };
}

function bytesOf(peers: readonly Peer[]): { received: number; sent: number } {
  let received = 0;
  let sent = 0;
  for (const { link } of peers) {
    received += link.received;
    sent += link.sent;
  }
  return { received, sent };
}

function destroyAll(peers: readonly Peer[]): void {
  for (const { link } of peers) link.destroy();
}

const ANSWER = Buffer.from('"channel":"AGENT"');
const ERROR = Buffer.from('"type":"ERROR"');
const PAYLOAD = Buffer.from('"payload":"');

function has(word: Buffer, chunk: Buffer, from: number, to: number): boolean {
  const at = chunk.indexOf(word, from);
  return at !== -1 && at < to;
}

/** Each peer keeps `inFlight` messages on the way: an answer makes room for the next. */
export function echo(connections: number, inFlight: number): Scenario {
  return async (run) => {
    const peers = await openPeers(run.route, Math.min(connections, run.most));
    let answers = 0;
    let over = false;
    for (const peer of peers) {
      await peer.start('echo');
      let room = 0;
      peer.onFrame = (chunk, from, to) => {
        if (has(ANSWER, chunk, from, to)) room++;
      };
      peer.link.onRead = () => {
        if (room === 0 || over) return;
        answers += room;
        peer.link.write(Array.from({ length: room }, () => peer.message()));
        room = 0;
      };
    }
    for (const peer of peers) peer.link.write(Array.from({ length: inFlight }, () => peer.message()));
    const result = await during(run, peers, () => answers);
    over = true;
    destroyAll(peers);
    return result;
  };
}

/**
 * Messages leave by the clock, whether or not others were answered, and each one's time counts from when it was due: a
 * server that stops for a while is charged for every message that should have gone meanwhile. All are waited for.
 */
export function openLoop(connections: number, perSecond: number): Scenario {
  return async (run) => {
    const peers = await openPeers(run.route, Math.min(connections, run.most));
    let began = Number.POSITIVE_INFINITY;
    let sent = 0;
    let answered = 0;
    const waits: number[] = [];
    const dueAt = (number: number): number => began + (number * 1000) / perSecond;
    for (const peer of peers) {
      await peer.start('echo');
      peer.onFrame = (chunk, from, to) => {
        if (!has(ANSWER, chunk, from, to)) return refuseErrors(chunk, from, to);
        const at = chunk.indexOf(PAYLOAD, from) + PAYLOAD.length;
        const number = Number(chunk.toString('latin1', at, at + 10));
        waits[number] = performance.now() - dueAt(number);
        answered++;
      };
    }
    let over = false;
    const send = (): void => {
      for (const now = performance.now(); dueAt(sent) <= now; sent++) {
        const peer = peers[sent % peers.length] as Peer;
        peer.link.write([peer.numbered(sent)]);
      }
      if (!over) setImmediate(send);
    };
    began = performance.now();
    send();
    let [from, to] = [0, 0];
    const probe: Probe = {
      async begin() {
        await run.probe.begin();
        from = sent;
      },
      async end() {
        to = sent;
        await run.probe.end();
      },
    };
    const result = await during({ ...run, probe }, peers, () => answered);
    over = true;
    while (answered < sent) await wait(1);
    destroyAll(peers);
    return { ...result, latency: latencyOf(waits.slice(from, to)) };
  };
}

/** What is refused is never answered: better no figure than a wait without end. */
function refuseErrors(chunk: Buffer, from: number, to: number): void {
  if (has(ERROR, chunk, from, to)) throw new Error(`refused: ${chunk.toString('utf8', from, to)}`);
}

function latencyOf(waits: readonly number[]): Latency {
  const sorted = Float64Array.from(waits).sort();
  const at = (share: number): number => Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN) * 1000);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

const PART = Buffer.from('"type":"MESSAGE_PART"');
const TEXT = Buffer.from('"text":"');
const QUOTE = 0x22;
/** Of a token's text, on both servers. */
const TOKEN_BYTES = 8;

/** How many tokens a frame brings: parts may come several in one. */
function tokensIn(chunk: Buffer, from: number, to: number): number {
  if (!has(PART, chunk, from, to)) return 0;
  const at = chunk.indexOf(TEXT, from) + TEXT.length;
  return (chunk.indexOf(QUOTE, at) - at) / TOKEN_BYTES;
}

/** About what a model answers. */
const TOKENS_AN_ANSWER = 500;

/**
 * Each of `streams` conversations is answered in tokens, over and over.
 *
 * @param tool `tokens`: one in each turn of the server's event loop; `bursts`: twenty in a turn; `clocked`: a
 * thousand a second, so the more in a turn the longer it takes
 */
export function tokens(streams: number, tool: 'tokens' | 'bursts' | 'clocked'): Scenario {
  return async (run) => {
    const peers = await openPeers(run.route, Math.min(streams, run.most));
    let count = 0;
    const ask = (peer: Peer): void => peer.link.write([peer.message(tool, String(TOKENS_AN_ANSWER))]);
    for (const peer of peers) {
      await peer.start(tool);
      let left = TOKENS_AN_ANSWER;
      peer.onFrame = (chunk, from, to) => {
        const brought = tokensIn(chunk, from, to);
        count += brought;
        left -= brought;
        if (left > 0) return;
        left = TOKENS_AN_ANSWER;
        ask(peer);
      };
    }
    for (const peer of peers) ask(peer);
    const result = await during(run, peers, () => count);
    destroyAll(peers);
    return result;
  };
}

const MESSAGE = Buffer.from('"type":"MESSAGE"');

/** One writes, a thousand read; the next message goes when the last reader has the one before. */
export function fanOut(readers: number): Scenario {
  return async (run) => {
    // One user: a new member is told to everybody, a thousand times a thousand.
    const [sender] = (await openPeers(run.route, 1, 'everyone')) as [Peer];
    await sender.start('room');
    const peers = await openPeers(run.route, Math.min(readers, run.most), 'everyone');
    let delivered = 0;
    let round = 0;
    for (const peer of peers) {
      await peer.join(sender.transaction);
      peer.onFrame = (chunk, from, to) => {
        if (!has(MESSAGE, chunk, from, to)) return;
        delivered++;
        if (++round < peers.length) return;
        round = 0;
        sender.link.write([sender.message('room')]);
      };
    }
    sender.link.write([sender.message('room')]);
    const result = await during(run, [sender, ...peers], () => delivered);
    destroyAll([sender, ...peers]);
    return result;
  };
}

/** Open, HAI, answer, gone: over and over, fifty at a time. */
export const handshakes: Scenario = async (run) => {
  let done = 0;
  let over = false;
  const worker = async (): Promise<void> => {
    while (!over) {
      const peer = new Peer(run.route);
      await peer.hai();
      peer.link.destroy();
      done++;
    }
  };
  const workers = Array.from({ length: Math.min(50, run.most) }, worker);
  const result = await during(run, [], () => done);
  over = true;
  await Promise.all(workers);
  return result;
};

/** Sessions that said HAI and are silent. The units are sessions; what they cost is the server's to say. */
export function idle(sessions: number): Scenario {
  return async ({ route, probe, most }) => {
    await probe.begin();
    const peers = await openPeers(route, Math.min(sessions, most));
    await wait(200);
    await probe.end();
    const result = { units: peers.length, ms: 1, ...bytesOf(peers) };
    destroyAll(peers);
    return result;
  };
}

/** Sessions that wrote in a conversation of their own until it had so many entries, and are silent since. */
export function talked(entries: number): Scenario {
  return async ({ route, probe, most }) => {
    await probe.begin();
    const peers = await openPeers(route, most);
    for (const peer of peers) {
      await peer.start('echo');
      const answered = new Promise<void>((resolve) => {
        let left = entries / 2;
        peer.onFrame = (chunk, from, to) => {
          if (has(ANSWER, chunk, from, to) && --left === 0) resolve();
        };
      });
      peer.link.write(Array.from({ length: entries / 2 }, () => peer.message()));
      await answered;
    }
    await wait(200);
    await probe.end();
    const result = { units: peers.length, ms: 1, ...bytesOf(peers) };
    destroyAll(peers);
    return result;
  };
}

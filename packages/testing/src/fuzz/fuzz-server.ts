// Throws nearly valid messages at a live server over any transport and holds it to its promises: each input is answered
// in known words, ignored, or closed upon with a known code, in time; no answer quotes or shows what it must not; and a
// neighbour's conversation goes on without a hole. Knows the server only by its connections.

import { type CloseCode, type Connection, closeCodes, encode, errorCodes, eventType } from '@haip/protocol';
import { type RawEnvelope, type RawPeer, rawPeer } from '../raw-peer.ts';
import { leakIn } from './answer-rules.ts';
import { type Dice, dice } from './dice.ts';
import { FuzzNeighbour } from './fuzz-neighbour.ts';
import { isInTime } from './in-time.ts';
import { mutate } from './mutate.ts';
import { type FuzzOptions, type FuzzReport, FuzzTally } from './report.ts';
import { fromClient, secretCanary, validEnvelope } from './valid-messages.ts';

export interface FuzzServerOptions extends FuzzOptions {
  /** Opens a connection to the server. */
  readonly dial: () => Promise<Connection>;
  /** A tool that transactions are started with. */
  readonly tool: string;
  /** Credentials that the server grants, with MESSAGE at least. Default: an object with a token that nobody may see. */
  readonly auth?: unknown;
  /** How long an input may wait for its reaction, in ms. Default 10,000. */
  readonly answerMs?: number | undefined;
}

/** An input: what is written, and whether before the HAI. */
interface Input {
  readonly text: string;
  readonly bytes: Uint8Array | undefined;
  readonly isFirst: boolean;
}

const casesOfOneConnection = 40;
const neighbourEvery = 25;

/**
 * Fuzzes a live server with messages made from valid ones by one to four mutations each, some with bytes, right or
 * wrong, some before the HAI. The same seed gives the same messages, the ids aside that the server chooses.
 */
export async function fuzzServer(options: FuzzServerOptions): Promise<FuzzReport> {
  const { cases = 2_000, seed = 1, maxCaseMs = 50 } = options;
  const tally = new FuzzTally(options);
  const neighbour = await FuzzNeighbour.begin(await options.dial(), options.tool, authOf(options), answerMsOf(options));
  const target = new Target(options, tally);
  const chance = dice(seed);
  for (; tally.cases < cases && !tally.isLate; tally.cases++) {
    const isFirst = chance.once(20);
    const input = await target.nextInput(chance, isFirst);
    let fastestMs = await target.take(input);
    for (let tries = 1; tries < 3 && fastestMs > maxCaseMs; tries++) {
      fastestMs = Math.min(fastestMs, await target.take(input));
    }
    tally.slowestMs = Math.max(tally.slowestMs, fastestMs);
    if (fastestMs > maxCaseMs) tally.fail('no input is slow', `${fastestMs} ms`, input.text);
    if (tally.cases % neighbourEvery === 0) await neighbour.say();
  }
  target.close();
  const flaw = await neighbour.end();
  if (flaw) tally.fail("a neighbour's conversation goes on", flaw, '');
  return tally.report();
}

function answerMsOf({ answerMs = 10_000 }: FuzzServerOptions): number {
  return answerMs;
}

function authOf({ auth }: FuzzServerOptions): unknown {
  return auth ?? { token: secretCanary };
}

/** The connection that is fuzzed, made anew when it has ended or was used enough. */
class Target {
  readonly #options: FuzzServerOptions;
  readonly #tally: FuzzTally;
  #peer: RawPeer | undefined;
  #transaction = 't-1';
  /** The number of the next message. */
  #next = 1;
  #used = 0;
  #ids = 0;

  constructor(options: FuzzServerOptions, tally: FuzzTally) {
    this.#options = options;
    this.#tally = tally;
  }

  async nextInput(chance: Dice, isFirst: boolean): Promise<Input> {
    if (!isFirst) await this.#open();
    const valid = { payloads: fromClient, transaction: this.#transaction, session: this.#peer?.session ?? '' };
    const number = isFirst ? 1 : this.#next;
    const envelope = validEnvelope(valid, chance.pick, `f-${++this.#ids}`, String(number));
    const text = chance.once(10) ? encode(envelope) : mutate(encode(envelope), chance);
    const hasBytes = envelope.bin_len === undefined ? chance.once(40) : !chance.once(4);
    const length = (envelope.bin_len ?? 3) + chance.pick([0, 0, 0, -1, 1]);
    return { text, bytes: hasBytes ? new Uint8Array(length) : undefined, isFirst };
  }

  /** Writes an input and waits for its reaction. Gives how long that took, in ms. */
  async take(input: Input): Promise<number> {
    return input.isFirst ? this.#takeFirst(input) : this.#takeNext(input);
  }

  close(): void {
    this.#peer?.connection.close(1000);
    this.#peer = undefined;
  }

  /** A message in place of the HAI: the server answers and closes, or grants it. */
  async #takeFirst(input: Input): Promise<number> {
    const peer = rawPeer(await this.#options.dial());
    const begun = performance.now();
    write(peer, input);
    // A valid HAI may follow: whatever came before it was good for, it is not waited for without end.
    peer.send({ type: 'HAI', payload: { haip_version: '1.1.2', auth: authOf(this.#options) as never } });
    const isOver = await this.#isInTime(
      Promise.race([peer.closed, peer.until(({ type }) => type === 'HAI' || type === 'ERROR')]),
    );
    const spentMs = performance.now() - begun;
    if (!isOver) this.#tally.fail('every input gets its reaction', 'nothing came before the HAI', input.text);
    await this.#judge(peer, 0, input);
    peer.connection.close(1000);
    return spentMs;
  }

  /**
   * A message on an open connection. Whether it took the number that was due shows by the two PINGs behind it, under
   * that number and the next: once both are settled, so is everything before them.
   */
  async #takeNext(input: Input): Promise<number> {
    const peer = await this.#open();
    const seen = peer.received.length;
    const begun = performance.now();
    write(peer, input);
    const [first, second] = [this.#next, this.#next + 1];
    for (const seq of [first, second]) peer.send({ type: 'PING', seq: String(seq) });
    this.#next += 2;
    const isSettled = peer.until(({ ack }) => ack !== undefined && Number(ack) >= second);
    if (!(await this.#isInTime(isSettled))) {
      this.#tally.fail('every input gets its reaction', 'it was not settled in time', input.text);
      this.close();
    }
    const spentMs = performance.now() - begun;
    const isOver = await this.#judge(peer, seen, input);
    if (isOver || ++this.#used >= casesOfOneConnection) this.close();
    return spentMs;
  }

  async #open(): Promise<RawPeer> {
    if (this.#peer) return this.#peer;
    const peer = rawPeer(await this.#options.dial());
    await peer.hai({ auth: authOf(this.#options) });
    peer.send({
      type: 'TRANSACTION_START',
      transaction: `ref-${++this.#ids}`,
      payload: { toolName: this.#options.tool },
    });
    this.#transaction = (await peer.until('TRANSACTION_START')).transaction ?? '';
    this.#peer = peer;
    this.#used = 0;
    this.#next = 3;
    return peer;
  }

  #isInTime(reaction: Promise<unknown>): Promise<boolean> {
    return isInTime(reaction, answerMsOf(this.#options));
  }

  /** Looks at all that came since `seen`, and at the end if there was one. True when there was. */
  async #judge(peer: RawPeer, seen: number, { text }: Input): Promise<boolean> {
    const came = peer.received.slice(seen);
    for (const envelope of came) {
      const flaw = flawOf(envelope);
      if (flaw) this.#tally.fail('every answer is in the catalogue', flaw, text);
    }
    if (peer.faults.length > 0) this.#tally.fail('every answer is an envelope', String(peer.faults[0]?.expected), text);
    const refusal = came.find(({ type }) => type === 'ERROR');
    // An end is told after what came before it: it is looked for once, without waiting.
    const end = await Promise.race([peer.closed, new Promise<undefined>((none) => setImmediate(none, undefined))]);
    this.#tally.count(end ? `closed ${end.code}` : refusal ? refusal.payload.code : 'taken or ignored');
    if (!end) return false;
    const leak = leakIn(end.reason);
    if (leak) this.#tally.fail('every close is in the catalogue', `${leak} in its reason`, text);
    if (!Object.hasOwn(closeCodes, end.code as CloseCode)) {
      this.#tally.fail('every close is in the catalogue', `an unknown code, ${end.code}`, text);
    }
    if (end.code === 1006 || end.code === 1011) {
      this.#tally.fail('no input is a fault of the server', `closed ${end.code}`, text);
    }
    return true;
  }
}

function write(peer: RawPeer, { text, bytes }: Input): void {
  void peer.sendText(text, bytes);
}

/** What is wrong with an envelope of the server; undefined when nothing is. */
function flawOf(envelope: RawEnvelope): string | undefined {
  const { type, payload } = envelope;
  if (eventType(type)?.server === undefined) return `a type that servers do not write, ${type}`;
  const text = JSON.stringify(envelope);
  if (text.includes(secretCanary)) return `credentials in ${type}`;
  if (type !== 'ERROR') return undefined;
  if (!Object.hasOwn(errorCodes, payload.code)) return `an unknown code, ${payload.code}`;
  if (payload.code === 'INTERNAL_ERROR') return 'a fault of the server';
  if (typeof payload.retry !== 'boolean') return 'an ERROR that does not say whether to retry';
  const leak = leakIn(JSON.stringify(payload));
  return leak && `${leak} in an ERROR`;
}

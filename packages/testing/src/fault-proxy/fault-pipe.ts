// One direction of a link through the fault proxy: passes bytes on in order, late, narrow or chopped as it is told, and
// knows how to be held, muted or shut. Holds at most MOST_HELD bytes and then makes the writer wait, as a network does.
// Knows nothing of what the bytes mean.

import type { Socket } from 'node:net';
import type { Clock, Timer } from '@haip/protocol';
import type { PipeFaults } from './faults.ts';

const MOST_HELD = 256 * 1024;
/** A narrow pipe passes a piece this often, in ms. */
const PIECE_MS = 20;

/** What a pipe tells the link it belongs to. */
export interface PipeOwner {
  /** Bytes came or went. */
  active(): void;
  /** The byte to cut at has passed. */
  cut(): void;
}

interface Chunk {
  readonly bytes: Buffer;
  readonly due: number;
}

export class FaultPipe {
  /** Bytes passed on so far. */
  passed = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #clock: Clock;
  readonly #owner: PipeOwner;
  #faults: PipeFaults = {};
  #queue: Chunk[] = [];
  #held = 0;
  /** The writer has said that nothing more comes. */
  #over = false;
  #pumping = false;
  #state: 'flowing' | 'stalled' | 'muted' | 'shut' = 'flowing';
  #timer: Timer | undefined;
  #wake = () => {};

  constructor(from: Socket, to: Socket, clock: Clock, owner: PipeOwner) {
    this.#from = from;
    this.#to = to;
    this.#clock = clock;
    this.#owner = owner;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => {
      this.#over = true;
      this.#start();
    });
  }

  impose(faults: PipeFaults): void {
    this.#faults = { ...this.#faults, ...faults };
    this.#start();
  }

  stall(): void {
    if (this.#state === 'flowing') this.#state = 'stalled';
  }

  resume(): void {
    if (this.#state !== 'stalled') return;
    this.#state = 'flowing';
    this.#start();
  }

  /** What comes from now on, the end included, is lost without a sign. */
  mute(): void {
    if (this.#state !== 'shut') this.#state = 'muted';
    this.#drop();
  }

  get isMuted(): boolean {
    return this.#state === 'muted';
  }

  /** Loses what is held and everything later. */
  shut(): void {
    this.#state = 'shut';
    this.#drop();
  }

  #drop(): void {
    this.#queue = [];
    this.#held = 0;
    this.#timer?.cancel();
    this.#wake();
    this.#from.resume();
  }

  #take(bytes: Buffer): void {
    this.#owner.active();
    if (this.#state === 'muted' || this.#state === 'shut') return;
    this.#queue.push({ bytes, due: this.#clock.monotonic() + (this.#faults.latencyMs ?? 0) });
    this.#held += bytes.length;
    if (this.#held >= MOST_HELD) this.#from.pause();
    this.#start();
  }

  #start(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#isAtCut()) this.#owner.cut();
    while (this.#state === 'flowing' && this.#queue.length > 0) {
      const lateMs = (this.#queue[0] as Chunk).due - this.#clock.monotonic();
      if (lateMs > 0) await this.#sleep(lateMs);
      else await this.#pass(this.#nextPiece());
      if (this.#isAtCut()) this.#owner.cut();
    }
    this.#pumping = false;
    if (this.#over && this.#state === 'flowing') this.#to.end();
  }

  async #pass(piece: Buffer): Promise<void> {
    const { bytesPerSecond, sliceBytes } = this.#faults;
    if (bytesPerSecond !== undefined) await this.#sleep((piece.length / bytesPerSecond) * 1000);
    if (this.#state === 'muted' || this.#state === 'shut') return;
    await new Promise<unknown>((written) => this.#to.write(piece, written));
    this.passed += piece.length;
    this.#owner.active();
    if (sliceBytes === undefined) return;
    // Two turns, for a reader in this process: the first may be the rest of the one in which this was written.
    for (let turn = 0; turn < 2; turn++) await new Promise((next) => setImmediate(next));
  }

  /** Takes what may be written at once off the queue. */
  #nextPiece(): Buffer {
    const { bytesPerSecond, sliceBytes = MOST_HELD, cutAtByte } = this.#faults;
    const { bytes, due } = this.#queue.shift() as Chunk;
    let length = Math.min(bytes.length, sliceBytes);
    if (bytesPerSecond !== undefined) length = Math.min(length, Math.ceil((bytesPerSecond * PIECE_MS) / 1000));
    if (cutAtByte !== undefined && cutAtByte > this.passed) length = Math.min(length, cutAtByte - this.passed);
    if (length < bytes.length) this.#queue.unshift({ bytes: bytes.subarray(length), due });
    this.#held -= length;
    if (this.#held < MOST_HELD) this.#from.resume();
    return bytes.subarray(0, length);
  }

  #isAtCut(): boolean {
    return this.#state === 'flowing' && this.passed === this.#faults.cutAtByte;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#clock.timer(ms, resolve);
    });
  }
}

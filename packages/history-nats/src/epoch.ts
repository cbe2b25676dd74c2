// The epoch of what is in the streams. It is kept in a message beside the moments at which the streams were
// created, and is another one as soon as something is missing that was stored. Spec: §3; guarantees: F33, invariant 12.

import { setTimeout as pause } from 'node:timers/promises';
import type { StreamInfo } from '@nats-io/jetstream';
import type { Names } from './names.ts';
import { readRegister, writeRegister } from './register.ts';
import { SharedRun } from './shared-run.ts';
import type { Stream } from './stream.ts';

/** As it lies in its message. */
interface Meta {
  readonly epoch: string;
  /** When the streams were created, in the server's words. */
  readonly created: readonly string[];
}

/** For how long a replica that became the leader may be behind. */
const BEHIND_MS = 2000;

export interface EpochOptions {
  readonly names: Names;
  readonly logs: Stream;
  readonly index: Stream;
  readonly ids: () => string;
  /** Asks for the streams as they are, and makes them where they are not: that of the logs, and the index. */
  streams(): Promise<readonly StreamInfo[]>;
  /** Called when the epoch is another one: nothing that was known holds any more. */
  renewed(): unknown;
}

export class Epoch {
  readonly #options: EpochOptions;
  #epoch = '';
  readonly #checking = new SharedRun(() => this.#check());
  #renewing: Promise<void> | undefined;

  constructor(options: EpochOptions) {
    this.#options = options;
  }

  get current(): string {
    return this.#epoch;
  }

  /** Looks whether all that was stored is there: after a start, and whenever the connection was gone. */
  check(): Promise<void> {
    return this.#checking.run();
  }

  /** Takes the epoch that others may have renewed. */
  async refresh(): Promise<void> {
    const { index, names } = this.#options;
    const known = await readRegister<Meta>(index, names.meta);
    if (known === null) return this.check();
    this.#become(known.value.epoch);
  }

  /** Something is missing that was stored: another epoch begins, unless another node has noticed, too. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    const before = this.#epoch;
    await this.#settle(await this.#options.streams(), (meta) => meta.epoch !== before);
  }

  async #check(): Promise<void> {
    const { logs, index } = this.#options;
    const highest = [logs.highest, index.highest];
    const until = performance.now() + BEHIND_MS;
    let infos: readonly StreamInfo[] = await this.#options.streams();
    const isBehind = (): boolean => infos.some(({ state }, i) => state.last_seq < (highest[i] ?? 0));
    while (isBehind() && logs.isReplicated && performance.now() < until) {
      await pause(100);
      infos = await this.#options.streams();
    }
    const before = this.#epoch;
    // Another node that noticed may have renewed it already.
    await this.#settle(infos, isBehind() ? (meta) => meta.epoch !== before : () => true);
  }

  /** Takes the epoch that is there if it is right for the streams and `isRight` otherwise, else begins another one. */
  async #settle(infos: readonly StreamInfo[], isRight: (meta: Meta) => boolean): Promise<void> {
    const { index, logs, names, ids } = this.#options;
    const created = infos.map((info) => info.created);
    for (;;) {
      const known = await readRegister<Meta>(index, names.meta);
      if (known !== null && JSON.stringify(known.value.created) === JSON.stringify(created) && isRight(known.value)) {
        this.#become(known.value.epoch);
        return;
      }
      const next: Meta = { epoch: ids(), created };
      const seq = await writeRegister(index, names.meta, known, { value: next, id: `meta ${next.epoch}` });
      if (seq === undefined) continue;
      // What was seen of streams that were lost says nothing of these.
      logs.highest = infos[0]?.state.last_seq ?? 0;
      index.highest = seq;
      this.#become(next.epoch);
      return;
    }
  }

  #become(epoch: string): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#options.renewed();
  }
}

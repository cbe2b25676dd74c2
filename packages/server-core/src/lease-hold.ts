// This node's hold on the right to answer in one transaction: takes it, renews it, notes in its record how far its turns
// are. Decides nothing; who has lost it writes nothing, which is the store's to see to. Spec: §4.

import type { Lease, LeaseRecord, Pending } from '@haip/protocol';
import type { ServerContext } from './context.ts';

/** For how long a lease is taken. It is renewed when half of that is over. */
export const LEASE_MS = 30_000;

export class LeaseHold {
  readonly #context: Pick<ServerContext, 'clock' | 'history' | 'log'>;
  readonly #transaction: string;
  readonly #holder: string;
  readonly #lost: () => void;
  #lease: Lease | undefined;
  #until = 0;

  /**
   * @param holder names this node.
   * @param lost called when another node turns out to hold the lease.
   */
  constructor(
    context: Pick<ServerContext, 'clock' | 'history' | 'log'>,
    transaction: string,
    holder: string,
    lost: () => void,
  ) {
    this.#context = context;
    this.#transaction = transaction;
    this.#holder = holder;
    this.#lost = lost;
  }

  /** Undefined while the lease is not held. */
  get fence(): number | undefined {
    return this.#lease?.fence;
  }

  /** The lease, taken or renewed; undefined while another node holds it. */
  take(): Lease | undefined | Promise<Lease | undefined> {
    const { clock, history } = this.#context;
    const now = clock.monotonic();
    if (this.#lease !== undefined && now < this.#until - LEASE_MS / 2) return this.#lease;
    const lease = history.lease(this.#transaction, this.#holder, LEASE_MS);
    return lease instanceof Promise ? lease.then((late) => this.#taken(late, now)) : this.#taken(lease, now);
  }

  #taken(lease: Lease | null, since: number): Lease | undefined {
    this.#lease = lease ?? undefined;
    this.#until = since + LEASE_MS;
    if (lease === null) this.#lost();
    return this.#lease;
  }

  /** The store said that it is another's, or the log is another one: it must be taken anew. */
  drop(): void {
    this.#lease = undefined;
  }

  /**
   * Writes the record. That it could not is logged and nothing more: the next one covers this one, too, and until then
   * only a crash would have a message answered again.
   */
  save(fence: number, record: LeaseRecord): Pending {
    try {
      const saving = this.#context.history.saveLease(this.#transaction, fence, record);
      return saving?.catch((error: unknown) => this.#notSaved(error));
    } catch (error) {
      this.#notSaved(error);
    }
  }

  #notSaved(error: unknown): void {
    this.#context.log('warn', 'lease not saved', { transaction: this.#transaction, error });
  }
}

// This node's hold on the right to answer in one transaction: takes it, renews it, lets it go, notes in its record how far
// its turns are. Decides nothing; who has lost it writes nothing, which is the store's to see to. Spec: §4.

import type { Lease, LeaseRecord, Pending } from '@haip/protocol';
import type { ServerContext } from './context.ts';

export class LeaseHold {
  readonly #context: Pick<ServerContext, 'clock' | 'history' | 'limits' | 'log' | 'nodes'>;
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
    context: Pick<ServerContext, 'clock' | 'history' | 'limits' | 'log' | 'nodes'>,
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
    const { clock, history, limits } = this.#context;
    const now = clock.monotonic();
    if (this.#lease !== undefined && now < this.#until - limits.leaseMs / 2) return this.#lease;
    const lease = history.lease(this.#transaction, this.#holder, limits.leaseMs);
    return lease instanceof Promise ? lease.then((late) => this.#taken(late, now)) : this.#taken(lease, now);
  }

  #taken(lease: Lease | null, since: number): Lease | undefined {
    this.#lease = lease ?? undefined;
    this.#until = since + this.#context.limits.leaseMs;
    if (lease === null) this.#lost();
    return this.#lease;
  }

  /** The store said that it is another's, or the log is another one: it must be taken anew. */
  drop(): void {
    this.#lease = undefined;
  }

  /**
   * Lets the lease go, so that another node has it at once and not only when it has lapsed. Where no other node is,
   * nothing is asked. Never rejects.
   */
  release(): Pending {
    const { clock, history } = this.#context;
    const isHeld = this.#lease !== undefined && clock.monotonic() < this.#until;
    this.drop();
    if (!isHeld || !history.supports.shared) return;
    const failed = (error: unknown): void =>
      this.#context.log('warn', 'lease not let go', { transaction: this.#transaction, error });
    try {
      const asked = history.lease(this.#transaction, this.#holder, 0);
      if (asked instanceof Promise) return asked.then(this.#isFree, failed);
      this.#isFree();
    } catch (error) {
      failed(error);
    }
  }

  readonly #isFree = (): void => this.#context.nodes.left(this.#transaction);

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

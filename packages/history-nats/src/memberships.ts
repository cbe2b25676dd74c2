// Which transactions each user started or joined: a chain for each user. A place in the list is taken before the entry that
// earns it is stored, and is sure afterwards; one that is not sure was cut off in between and is looked into. Spec: §2.

import type { ChainHost } from './chain.ts';
import { Chain } from './chain.ts';
import { Chains } from './chains.ts';
import type { Addition, Fold, FoldKind, Plan, Taken } from './fold.ts';
import type { Names } from './names.ts';
import type { Stream } from './stream.ts';

/** A transaction's place in a user's list. */
export interface Membership {
  readonly transaction: string;
  /** In the order in which transactions were created. */
  readonly serial: number;
  /** Whether the entry that earns it is known to be stored. */
  readonly isSure: boolean;
  /** When it was put there, in ms of the store's time. */
  readonly at: number;
}

/** Serial 0: it is in the list no more. */
type Change = readonly [transaction: string, serial: number, isSure: boolean];

const kept: Taken = { holds: false, released: [] };

class MembershipFold implements Fold<Change> {
  readonly #all = new Map<string, Membership>();
  #sorted: readonly Membership[] | undefined;

  get weight(): number {
    return this.#all.size;
  }

  get(transaction: string): Membership | undefined {
    return this.#all.get(transaction);
  }

  /** Newest first. */
  get sorted(): readonly Membership[] {
    this.#sorted ??= [...this.#all.values()].sort((a, b) => b.serial - a.serial);
    return this.#sorted;
  }

  take([transaction, serial, isSure]: Change, { at }: { readonly at: number }): Taken {
    if (serial === 0) this.#all.delete(transaction);
    else this.#all.set(transaction, { transaction, serial, isSure, at });
    this.#sorted = undefined;
    return kept;
  }

  save(): Uint8Array {
    return Buffer.from(JSON.stringify([...this.#all.values()]));
  }

  static readonly kind: FoldKind<Change, MembershipFold> = {
    empty: () => new MembershipFold(),
    restore(saved) {
      const fold = new MembershipFold();
      for (const one of JSON.parse(Buffer.from(saved).toString()) as Membership[]) fold.#all.set(one.transaction, one);
      return fold;
    },
    read: (content) => JSON.parse(Buffer.from(content).toString()) as Change,
  };
}

export class Memberships {
  readonly #chains: Chains<Change, MembershipFold>;

  constructor(host: ChainHost, stream: Stream, names: Names, cacheBytes: number) {
    this.#chains = new Chains(cacheBytes / 4, (user) => new Chain(host, stream, names.user(user), MembershipFold.kind));
  }

  /** Puts a transaction into a user's list. One that is in it stays as sure as it is. */
  add(user: string, { transaction, serial, isSure }: Omit<Membership, 'at'>): Promise<void> {
    return this.#change(user, transaction, (known) => {
      const isThere = known !== undefined && (known.isSure || !isSure);
      return isThere ? undefined : [transaction, serial, isSure];
    });
  }

  remove(user: string, transaction: string): Promise<void> {
    return this.#change(user, transaction, (known) => (known === undefined ? undefined : [transaction, 0, false]));
  }

  /** A user's transactions, newest first. */
  async list(user: string): Promise<readonly Membership[]> {
    const chain = this.#chains.get(user);
    await chain.fresh();
    if (!chain.exists) this.#chains.drop(user);
    return chain.fold.sorted;
  }

  reset(): void {
    this.#chains.reset();
  }

  #change(
    user: string,
    transaction: string,
    change: (known: Membership | undefined) => Change | undefined,
  ): Promise<void> {
    return this.#chains.get(user).commit((fold): Plan<Change, void> => {
      const changed = change(fold.get(transaction));
      return { answer: undefined, addition: changed && additionOf(changed) };
    });
  }
}

function additionOf(change: Change): Addition<Change> {
  return { change, content: Buffer.from(JSON.stringify(change)) };
}

// The conversations of this browser's user as the server lists them, newest first, page by page. Asks one thing at a
// time; what is asked meanwhile is asked once more when that is answered.

import type { TransactionList, TransactionSummary } from '@haip/client-core';

export interface ListState {
  /** Some of it was read. */
  readonly isKnown: boolean;
  readonly items: readonly TransactionSummary[];
  /** There are older ones that were not asked for. */
  readonly hasMore: boolean;
  readonly isReadingMore: boolean;
  /** The last thing that was asked was refused: whoever wants it asks again. */
  readonly isRefused: boolean;
}

/** Asks the server for a page: the first one, or the one after. */
type AskPage = (after: string | undefined) => Promise<TransactionList>;

/** The list with a fresh first page: what is older than that page stays, what the page should have and has not is gone. */
export function withFirstPage(
  items: readonly TransactionSummary[],
  { transactions, next }: TransactionList,
): readonly TransactionSummary[] | undefined {
  if (next === undefined) return transactions;
  const oldest = transactions.at(-1)?.transaction;
  const at = items.findIndex(({ transaction }) => transaction === oldest);
  return at < 0 ? undefined : [...transactions, ...items.slice(at + 1)];
}

export class ConversationList {
  readonly #ask: AskPage;
  readonly #listeners = new Set<() => void>();
  /** What was asked about already, lest one that has no title is asked for ever. */
  readonly #wanted = new Set<string>();
  #state: ListState = { isKnown: false, items: [], hasMore: false, isReadingMore: false, isRefused: false };
  #next: string | undefined;
  #isAsking = false;
  #isStale = false;

  constructor(ask: AskPage) {
    this.#ask = ask;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): ListState => this.#state;

  find(transaction: string): TransactionSummary | undefined {
    return this.#state.items.find((item) => item.transaction === transaction);
  }

  /** Asks anew, once, when it has not this conversation, or not its title. */
  wants(transaction: string, what: 'at all' | 'with a title' = 'at all'): void {
    const item = this.find(transaction);
    if (what === 'at all' ? item : item?.title !== undefined) return;
    const wanted = `${transaction} ${what}`;
    if (this.#wanted.has(wanted)) return;
    this.#wanted.add(wanted);
    this.refresh();
  }

  /** Asks for the first page again. */
  readonly refresh = (): void => {
    if (this.#isAsking) this.#isStale = true;
    else void this.#askFor(undefined);
  };

  /** Asks for the next page, if there is one. */
  readonly readMore = (): void => {
    if (!this.#isAsking && this.#next !== undefined) void this.#askFor(this.#next);
  };

  async #askFor(after: string | undefined): Promise<void> {
    this.#isAsking = true;
    this.#change({ isReadingMore: after !== undefined, isRefused: false });
    try {
      const page = await this.#ask(after);
      if (after === undefined) this.#takeFirst(page);
      else this.#take([...this.#state.items, ...page.transactions], page.next);
    } catch {
      // What was read before stays: an old list is better than none.
      this.#change({ isRefused: true });
    }
    this.#isAsking = false;
    this.#change({ isReadingMore: false });
    if (!this.#isStale) return;
    this.#isStale = false;
    this.refresh();
  }

  #takeFirst(page: TransactionList): void {
    const merged = withFirstPage(this.#state.items, page);
    // With all of it in hand already, the old place to go on from still holds.
    const isKept = merged !== undefined && merged.length > page.transactions.length;
    this.#take(merged ?? page.transactions, isKept ? this.#next : page.next);
  }

  #take(items: readonly TransactionSummary[], next: string | undefined): void {
    this.#next = next;
    this.#change({ isKnown: true, items, hasMore: next !== undefined });
  }

  #change(change: Partial<ListState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

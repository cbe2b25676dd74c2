// Accounts as a contract: what a user may still spend, kept by user id. Nodes that share one share the accounts, so
// each call is one step there. Spec: §5.

/** What a ledger said of a debit. */
export interface Debit {
  /** `taken` now, `known`: taken before under this key, `refused`: the account holds less. */
  readonly kind: 'taken' | 'known' | 'refused';
  /** What the account holds after it. */
  readonly balance: number;
}

/**
 * The accounts of users. No balance ever falls below zero, and nothing is taken twice under one key. Amounts are finite
 * and not negative. A rejection means that the outcome is unknown: asked again with the same key, nothing is lost.
 */
export interface CreditLedger {
  /** Opens the account of a user not seen before with `credits`; changes nothing for any other. Gives the balance. */
  open(user: string, credits: number): number | Promise<number>;

  /**
   * Takes `amount`, in one step, unless the key was used or the account holds less. A user without an account has
   * nothing. Keys are remembered for 15 minutes or more, but no longer than the store does the ids of messages: then an
   * id is another message's, which is to be paid for.
   */
  debit(user: string, key: string, amount: number): Debit | Promise<Debit>;

  /** Gives back what was taken under a key, and forgets the key. Gives the balance; null when nothing was taken under it. */
  undo(user: string, key: string): number | null | Promise<number | null>;

  /** Adds to an account and gives its balance; null for a user without one. */
  grant(user: string, amount: number): number | null | Promise<number | null>;

  /** What an account holds; null for a user without one. */
  balance(user: string): number | null | Promise<number | null>;
}

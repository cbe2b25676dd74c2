// The link that invites to a conversation: its id in the fragment, which browsers never send to a server.

/** The transaction that a fragment such as `#t=ID` names; undefined when there is none of that form. */
export function transactionInLink(fragment: string): string | undefined {
  return /^#t=([A-Za-z0-9_.:-]{1,128})$/.exec(fragment)?.[1];
}

/** The fragment for a transaction. */
export function fragmentFor(transaction: string): string {
  return `#t=${transaction}`;
}

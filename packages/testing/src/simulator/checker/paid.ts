// What people paid against what is stored of theirs: invariant 21. Prices are the server's default ones: 1 for a
// message, nothing for what goes on with one or ends it.

import type { Accounts } from '../accounts.ts';
import type { StoredLogs } from './stored-logs.ts';
import type { Verdicts } from './verdicts.ts';

const priced: ReadonlySet<string> = new Set(['MESSAGE', 'MESSAGE_START', 'MESSAGE_UPDATE', 'AUDIO', 'TOOL_CALL']);

interface Parts {
  readonly accounts: Accounts;
  readonly logs: StoredLogs;
  readonly verdicts: Verdicts;
  /** Nothing failed: nobody may have paid for what is not stored. */
  readonly exactly: boolean;
}

export function judgePaid({ accounts, logs, verdicts, exactly }: Parts): void {
  const bad = (what: string): void => verdicts.violated('21 credit safety', what);
  if (accounts.lowest < 0) bad(`an account held ${accounts.lowest}`);
  const due = dueOf(logs);
  for (const user of new Set([...due.keys(), ...accounts.taken.keys()])) {
    const paid = [...(accounts.taken.get(user)?.values() ?? [])].reduce((sum, amount) => sum + amount, 0);
    const price = due.get(user) ?? 0;
    if (paid < price) bad(`${user} paid ${paid} for ${price} messages that are stored`);
    if (exactly && paid > price) bad(`${user} paid ${paid}, and ${price} messages are stored`);
  }
}

/** What each user has to pay for. What a store lost, and was refused when it came again, is given back. */
function dueOf(logs: StoredLogs): Map<string, number> {
  const due = new Map<string, number>();
  for (const { now } of logs.transactions.values()) {
    for (const { draft } of now?.entries ?? []) {
      if (draft.user !== null && priced.has(draft.type)) due.set(draft.user, (due.get(draft.user) ?? 0) + 1);
    }
  }
  return due;
}

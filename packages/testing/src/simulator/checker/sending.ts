// What became of what applications sent: invariant 5, both ways round. What is settled is in the log; of what is said
// not to be stored nothing ever is; and everything comes to one of these ends.

import { tokenOf } from './stored-log.ts';
import type { StoredLogs } from './stored-logs.ts';
import type { Verdicts } from './verdicts.ts';

export interface Sent {
  readonly who: string;
  readonly transaction: string;
  /** What the message carries to be known by; undefined for one that has no text. */
  readonly token: string | undefined;
}

export interface Settled {
  readonly id: string;
  readonly position?: number;
}

export class Sending {
  /** Sends that wait for their outcome. */
  readonly waiting = new Set<Sent>();
  settledCount = 0;
  readonly #logs: StoredLogs;
  readonly #verdicts: Verdicts;
  readonly #denied: { readonly sent: Sent; readonly why: string }[] = [];

  constructor(logs: StoredLogs, verdicts: Verdicts) {
    this.#logs = logs;
    this.#verdicts = verdicts;
  }

  settled(sent: Sent, { id, position }: Settled): void {
    this.waiting.delete(sent);
    this.settledCount++;
    const { transaction, token, who } = sent;
    const bad = (what: string): void =>
      this.#verdicts.violated('5 settled implies stored', `${who} in ${transaction}: ${token ?? id} ${what}`);
    for (const log of this.#logs.known(transaction)?.logs ?? []) {
      for (const stored of log.entries) {
        if (stored.draft.id !== id) continue;
        if (position !== undefined && stored.position !== position) continue;
        if (token !== undefined && tokenOf(stored.draft) !== token) bad(`is not what is stored as ${id}`);
        return;
      }
    }
    bad(`was settled${position === undefined ? '' : ` at ${position}`} and is not stored`);
  }

  /** Its author was told why it did not come about. */
  rejected(sent: Sent, why: string, mayBeStored: boolean): void {
    this.waiting.delete(sent);
    if (mayBeStored && sent.token !== undefined) this.#logs.givenUp.add(sent.token);
    if (!mayBeStored && sent.token !== undefined) this.#denied.push({ sent, why });
  }

  /** Its author is gone. */
  forget(sent: Sent): void {
    this.waiting.delete(sent);
  }

  /** At the end: what was denied is nowhere. */
  judgeDenials(): void {
    for (const { sent, why } of this.#denied) {
      const log = this.#logs.now(sent.transaction);
      // Of a log that was lost, what was said before may have been true then.
      if (log === undefined || log.isAgain || !log.hasToken(sent.token as string)) continue;
      const what = `${sent.who} was told ${why} of ${sent.token}, which is stored in ${sent.transaction}`;
      this.#verdicts.violated('5 settled implies stored', what);
    }
  }
}

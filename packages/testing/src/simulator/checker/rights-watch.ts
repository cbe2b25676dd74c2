// Who is sent what they may not read: invariant 14. Knows rights as the identity provider has them; judges a connection
// by the rights its user had when the server heard who it is, and by revocations that a node has confirmed.

import type { Envelope } from '@haip/protocol';
import type { Line } from '../network.ts';
import type { Way } from '../ordered-link.ts';
import type { People } from '../people.ts';
import type { StoredLogs } from './stored-logs.ts';
import type { Verdicts } from './verdicts.ts';

export class RightsWatch {
  readonly #people: People;
  readonly #logs: StoredLogs;
  readonly #verdicts: Verdicts;
  /** When each user's last revocation that was carried out was asked for. */
  readonly #revoked = new Map<string, number>();

  constructor(people: People, logs: StoredLogs, verdicts: Verdicts) {
    this.#people = people;
    this.#logs = logs;
    this.#verdicts = verdicts;
  }

  heard(line: Line, way: Way, { type, transaction, payload, seq }: Envelope): void {
    if (way === 'up') {
      if (type !== 'HAI') return;
      const { auth } = payload as { readonly auth?: { readonly user?: unknown } };
      line.greeting = { user: String(auth?.user), at: line.process.clock.monotonic() };
      return;
    }
    const { greeting } = line;
    // Only what is read from a log has a place in it.
    if (transaction === null || seq === '0' || greeting === undefined) return;
    const lostAt = this.#people.lostAt(greeting.user);
    if (lostAt === undefined || lostAt >= greeting.at) return;
    if (this.#logs.known(transaction)?.record.starter === greeting.user) return;
    const what = `${line.caller.name} was sent ${type} of ${transaction}, which ${greeting.user} may not read`;
    this.#verdicts.violated('14 isolation', what);
  }

  /** A node has said that a revocation is done. */
  revoked(user: string, since: number): void {
    this.#revoked.set(user, Math.max(since, this.#revoked.get(user) ?? 0));
  }

  forget(): void {
    this.#revoked.clear();
  }

  /** A connection that outlives a revocation; undefined when there is none. */
  late(lines: Iterable<Line>): string | undefined {
    for (const { greeting, link, process, caller } of lines) {
      if (greeting === undefined || link.isOver('server') || !process.alive) continue;
      if (greeting.at >= (this.#revoked.get(greeting.user) ?? 0)) continue;
      return `${caller.name} is connected as ${greeting.user}, who was revoked`;
    }
    return undefined;
  }
}

// A connection from elsewhere, and what is asked of it: not too many from one address or of one user, not too many
// refused, not too much said. A connection from this machine is no guest. Limits: guarantees; attacks A28, A29, A47.

import { Fault, type Incoming } from '@haip/protocol';
import { neighbourhoodOf, type Refusal } from './addresses.ts';
import type { ServerContext } from './context.ts';
import { Rate } from './rate.ts';
import { RateLimited } from './rate-limited.ts';

export class Guest {
  readonly #context: ServerContext;
  readonly #address: string;
  #rate: Rate | undefined;

  constructor(context: ServerContext, address: string) {
    this.#context = context;
    this.#address = address;
  }

  /** A guest who was let in, a refusal of one who was not, undefined for whoever is no guest. */
  static enter(context: ServerContext, address: string | undefined): Guest | Refusal | undefined {
    const from = neighbourhoodOf(address);
    return from === undefined ? undefined : (context.addresses.enter(from) ?? new Guest(context, from));
  }

  leave(): void {
    this.#context.addresses.leave(this.#address);
  }

  /** Too many were refused where this one comes from: the authenticator is not asked. */
  barred(): Fault | undefined {
    const barred = this.#context.addresses.barred(this.#address);
    return barred && new RateLimited('fewer refusals', barred.retryAfterMs, 1013);
  }

  /** Notes how a HAI was answered. */
  judged(verdict: Fault | object): void {
    if (verdict instanceof Fault && verdict.code === 'AUTHENTICATION_FAILED') {
      this.#context.addresses.failed(this.#address);
    }
  }

  /** Begins to count what is sent; a fault when the user has as many connections as they may. */
  begin(user: string): Fault | undefined {
    const { clock, limits, users } = this.#context;
    if (users.of(user).length >= limits.maxConnectionsPerUser) return crowd;
    this.#rate = new Rate(limits, clock.monotonic());
    return undefined;
  }

  /** To be called once for all that came with one read. */
  refill(): void {
    this.#rate?.refill(this.#context.clock.monotonic());
  }

  /** RATE_LIMITED for what is too much, with `close` for who goes on. */
  take(incoming: Incoming): Fault | undefined {
    return this.#rate?.take(incoming);
  }

  /** Counts the bytes that a request brought. */
  oweBytes(bytes: number): void {
    this.#rate?.oweBytes(bytes);
  }

  /** Counts the entries that a JOIN will bring. */
  oweEntries(entries: number): void {
    this.#rate?.oweEntries(entries);
  }
}

const crowd = new RateLimited('fewer connections of this user', undefined, 4429);

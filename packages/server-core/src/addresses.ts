// Who is let in by where they come from: so many connections of one address, and nobody from where too many were refused
// in a minute. Asked before anything is read. What comes from this machine, or from nobody knows where, is not judged.
// Attacks A28, A47.

import type { Clock } from '@haip/protocol';
import type { ServerLimits } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Most addresses whose failures are remembered; the oldest goes first. */
const MOST = 10_000;

/** Why somebody is not let in. */
export interface Refusal {
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
}

export class Addresses {
  readonly #clock: Clock;
  readonly #limits: Pick<ServerLimits, 'maxConnectionsPerAddress' | 'maxAuthFailures'>;
  readonly #open = new Map<string, number>();
  readonly #failures = new Map<string, TokenBucket>();

  constructor(clock: Clock, limits: Pick<ServerLimits, 'maxConnectionsPerAddress' | 'maxAuthFailures'>) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Counts a connection in, or says why not. */
  enter(address: string): Refusal | undefined {
    const barred = this.barred(address);
    if (barred !== undefined) return barred;
    const open = this.#open.get(address) ?? 0;
    if (open >= this.#limits.maxConnectionsPerAddress) return tooMany;
    this.#open.set(address, open + 1);
    return undefined;
  }

  leave(address: string): void {
    const open = (this.#open.get(address) ?? 0) - 1;
    if (open > 0) this.#open.set(address, open);
    else this.#open.delete(address);
  }

  /** Somebody there was refused. */
  failed(address: string): void {
    const now = this.#clock.monotonic();
    const { maxAuthFailures } = this.#limits;
    const bucket = this.#failures.get(address) ?? new TokenBucket(maxAuthFailures / 60, maxAuthFailures, now);
    bucket.refill(now);
    bucket.owe(1);
    this.#failures.delete(address);
    this.#failures.set(address, bucket);
    if (this.#failures.size <= MOST) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      break;
    }
  }

  /** Why nobody from there is asked who they are just now; undefined when they are. */
  barred(address: string): Refusal | undefined {
    const bucket = this.#failures.get(address);
    if (bucket === undefined) return undefined;
    bucket.refill(this.#clock.monotonic());
    if (bucket.isFull) this.#failures.delete(address);
    return bucket.isEmpty ? { reason: 'too many refusals', retryAfterMs: bucket.waitMs } : undefined;
  }
}

const tooMany: Refusal = { reason: 'too many connections', retryAfterMs: undefined };

/**
 * What an address counts as: for IPv6 its network of 64 bits, which one customer has to themselves. Undefined for this
 * machine and for no address at all.
 */
export function neighbourhoodOf(address: string | undefined): string | undefined {
  if (address === undefined || address === '') return undefined;
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  if (!plain.includes(':')) return plain.startsWith('127.') ? undefined : plain;
  if (plain === '::1') return undefined;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(8 - groups.length - last.length, 0);
  const whole = [...groups, ...new Array<string>(zeros).fill('0'), ...last];
  return `${whole.slice(0, 4).join(':')}::/64`;
}

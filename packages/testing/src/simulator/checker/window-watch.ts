// Counts what goes over one link against what its receiver allowed: invariant 15. Knows only what was said in the HAIs
// and the FLOW_UPDATEs. Counts late, when a frame is read, and grants early, when one is written or read: so it never
// accuses a sender of what it could not know.

import { type Envelope, isJsonObject, type JsonValue } from '@haip/protocol';
import type { Verdicts } from './verdicts.ts';

type Way = 'up' | 'down';

interface Side {
  /** Messages allowed in each window at first; undefined: no windows. */
  initial: number | undefined;
  readonly spent: Map<string, number>;
  readonly granted: Map<string, number>;
}

const newSide = (): Side => ({ initial: undefined, spent: new Map(), granted: new Map() });

function initialOf(payload: JsonValue): number | undefined {
  const { capabilities } = isJsonObject(payload) ? payload : {};
  const flow = isJsonObject(capabilities) ? capabilities['flow_control'] : undefined;
  const messages = isJsonObject(flow) ? flow['initial_credit_messages'] : undefined;
  return typeof messages === 'number' ? messages : undefined;
}

const isWindowed = (type: string): boolean =>
  type.startsWith('MESSAGE') || type.startsWith('TOOL_CALL') || type === 'AUDIO';

function forget(counts: Map<string, number>, prefix: string): void {
  for (const key of counts.keys()) if (key.startsWith(prefix)) counts.delete(key);
}

export class WindowWatch {
  readonly #verdicts: Verdicts;
  /** By the way that is limited. */
  readonly #sides = { up: newSide(), down: newSide() };
  /** The replays and joins without an answer yet, by id, with their transactions: what comes meanwhile may not count. */
  readonly #asked = new Map<string, string | null>();

  /** Transactions that were joined on this link, perhaps again. */
  readonly #again = new Set<string | null>();

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts;
  }

  heard(way: Way, envelope: Envelope): void {
    const { id, type, transaction, channel, seq, payload, related_id = '' } = envelope;
    const back = way === 'up' ? 'down' : 'up';
    if (type === 'HAI') this.#sides[back].initial = initialOf(payload);
    else if (type === 'FLOW_UPDATE') this.#grant(this.#sides[back], transaction, payload);
    else if (type === 'TRANSACTION_JOIN' && way === 'up') this.#joins(id, transaction);
    else if (type === 'TRANSACTION_JOIN' && seq === '0') this.#joined(related_id, transaction);
    else if (type === 'REPLAY_REQUEST') this.#asked.set(id, transaction);
    else if (type === 'INFO' || type === 'ERROR') this.#asked.delete(related_id);
    else if (way === 'up' ? isWindowed(type) : this.#isLiveEntry(envelope)) this.#spend(way, transaction, channel);
  }

  /** Whoever begins to read again has whole windows: what is granted from now on may be for these. */
  #joins(id: string, transaction: string | null): void {
    this.#asked.set(id, transaction);
    forget(this.#sides.down.granted, `${transaction} `);
  }

  #joined(id: string, transaction: string | null): void {
    if (!this.#asked.delete(id)) return;
    forget(this.#sides.down.spent, `${transaction} `);
    // What was read before and not granted again yet may be granted into the new window: less than half of one.
    this.#again.add(transaction);
  }

  #isLiveEntry({ seq, transaction }: Envelope): boolean {
    return seq !== '0' && ![...this.#asked.values()].includes(transaction);
  }

  #grant({ granted }: Side, transaction: string | null, payload: JsonValue): void {
    const { channel, add_messages: messages } = isJsonObject(payload) ? payload : {};
    if (typeof messages !== 'number') return;
    for (const key of transaction === null ? [...granted.keys()] : [`${transaction} ${channel}`]) {
      granted.set(key, (granted.get(key) ?? 0) + messages);
    }
  }

  #spend(way: Way, transaction: string | null, channel: string): void {
    const { initial, spent, granted } = this.#sides[way];
    const key = `${transaction} ${channel}`;
    const count = (spent.get(key) ?? 0) + 1;
    spent.set(key, count);
    if (initial === undefined) return;
    const left = way === 'down' && this.#again.has(transaction) ? Math.ceil(initial / 2) : 0;
    const allowed = initial + left + (granted.get(key) ?? 0);
    if (count > allowed) this.#verdicts.violated('15 window safety', `${way} in ${key}: ${count} of ${allowed} frames`);
  }
}

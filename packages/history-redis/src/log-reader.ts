// Reads logs, lists and what else is kept of transactions. Writes nothing but the removal of what a list names in vain.
// Spec: §4.

import { entryOf, LIST_PAGE, type Place, REVOKED_FOR_MS } from '@haip/history-engine';
import type { Entry, Head, Heads, HistoryPage, HistoryRange, TransactionPage, TransactionRecord } from '@haip/protocol';
import type { Caller } from './caller.ts';
import { decodeId, encodeId, type Keys } from './keys.ts';
import { readRecord } from './records.ts';

/** So many logs are asked of at once: a script holds up everybody else. */
const MOST_HEADS = 1_000;

/** Epoch, first, last, then of each entry its position and size, its body, and its bytes if any. */
type PageAnswer = readonly [Buffer, number, number, ...(Buffer | null)[]];

/** Epoch, place, first and last of each log, then user and time of each revocation. */
type HeadsAnswer = readonly [string, string, readonly number[], readonly (string | number)[]];

export class LogReader {
  readonly #caller: Caller;
  readonly #keys: Keys;

  constructor(caller: Caller, keys: Keys) {
    this.#caller = caller;
    this.#keys = keys;
  }

  get(transaction: string): Promise<TransactionRecord | null> {
    return this.#record(encodeId(transaction));
  }

  /** @param after the `next` of the page before; anything else has no page. */
  async list(user: string, after?: string): Promise<TransactionPage> {
    if (after !== undefined && !Number.isSafeInteger(Number(after))) return { transactions: [] };
    const key = this.#keys.list(encodeId(user));
    const below = after === undefined ? '+inf' : `(${Number(after)}`;
    const range = ['ZREVRANGEBYSCORE', key, below, '-inf', 'LIMIT', '0', String(LIST_PAGE + 1)];
    const found = await this.#caller.send<string[]>(range);
    const names = found.slice(0, LIST_PAGE);
    const last = found.length > LIST_PAGE ? (names.at(-1) as string) : undefined;
    const [records, score] = await Promise.all([
      Promise.all(names.map((name) => this.#record(name))),
      last === undefined ? undefined : this.#caller.send<number>(['ZSCORE', key, last]),
    ]);
    const gone = names.filter((_, i) => records[i] === null);
    if (gone.length > 0) await this.#caller.send(['ZREM', key, ...gone]);
    const transactions = records.filter((record) => record !== null);
    return score === undefined ? { transactions } : { transactions, next: String(score) };
  }

  /** The younger ids are looked at first: on their way to the older ones they are in either. */
  async find(transaction: string, user: string, id: string): Promise<Place | null> {
    const [, , young, old] = this.#keys.log(encodeId(transaction));
    const field = `k:${encodeId(id)} ${encodeId(user)}`;
    const places = await Promise.all([young, old].map((key) => this.#caller.send<string | null>(['HGET', key, field])));
    const place = places[0] ?? places[1];
    if (place == null) return null;
    const [position, digest = ''] = place.split(' ');
    return { position: Number(position), digest };
  }

  async read(transaction: string, range: HistoryRange): Promise<HistoryPage | null> {
    const { from, to, maxEntries = 200, maxBytes = 524_288 } = range;
    const args = [String(from), to === undefined ? '' : String(to), String(maxEntries), String(maxBytes)];
    const keys = [this.#keys.meta, ...this.#keys.log(encodeId(transaction))];
    const page = await this.#caller.callForBytes<PageAnswer | null>('read', keys, args);
    if (page === null) return null;
    const [epoch, first, last, ...pieces] = page;
    const entries: Entry[] = [];
    for (let i = 0; i < pieces.length; i += 3) entries.push(readEntry(pieces, i));
    return { epoch: epoch.toString(), first, last, entries };
  }

  async head(transaction: string): Promise<Head | null> {
    return (await this.heads([transaction])).heads[0] ?? null;
  }

  async heads(transactions: readonly string[], since?: string): Promise<Heads> {
    const parts: Promise<HeadsAnswer>[] = [];
    for (let from = 0; from === 0 || from < transactions.length; from += MOST_HEADS) {
      parts.push(this.#headsOf(transactions.slice(from, from + MOST_HEADS), from === 0 ? since : undefined));
    }
    const answers = await Promise.all(parts);
    // Of the first: who is revoked between two of them is told next time.
    const [epoch, place, , revoked] = answers[0] as HeadsAnswer;
    return {
      heads: answers.flatMap(([ofEpoch, , positions]) => headsOf(ofEpoch, positions)),
      revoked: revoked.flatMap((user, i) =>
        i % 2 === 0 ? [{ user: decodeId(String(user)), agoMs: Number(revoked[i + 1]) }] : [],
      ),
      place: `${epoch}/${place}`,
    };
  }

  #record(name: string): Promise<TransactionRecord | null> {
    return readRecord(this.#caller, this.#keys.log(name)[0]);
  }

  #headsOf(transactions: readonly string[], since: string | undefined): Promise<HeadsAnswer> {
    const { meta, revoked } = this.#keys;
    const keys = [meta, revoked, ...transactions.flatMap((transaction) => this.#keys.log(encodeId(transaction)))];
    return this.#caller.call<HeadsAnswer>('heads', keys, [since ?? '', String(REVOKED_FOR_MS)]);
  }
}

function headsOf(epoch: string, positions: readonly number[]): (Head | null)[] {
  const heads: (Head | null)[] = [];
  for (let i = 0; i < positions.length; i += 2) {
    const [first, last] = [positions[i] as number, positions[i + 1] as number];
    heads.push(first === 0 ? null : { epoch, first, last });
  }
  return heads;
}

function readEntry(pieces: readonly (Buffer | null)[], at: number): Entry {
  const [position, size] = String(pieces[at]).split(' ').map(Number) as [number, number];
  const bytes = pieces[at + 2];
  // A copy: what came is a piece of all that was read from the socket with it.
  return entryOf({ position, size, body: String(pieces[at + 1]), bytes: bytes ? new Uint8Array(bytes) : null });
}

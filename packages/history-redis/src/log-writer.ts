// Writes to logs: one script for each call, which judges and stores in one step. What is asked goes out in the order in
// which it was asked, on one connection, and is not waited for: so appends stay in order. Spec: §3, §4.

import { type DraftRow, leaseRecordOf, REVOKED_FOR_MS, rowOf } from '@haip/history-engine';
import type {
  CreatedTransaction,
  Draft,
  Lease,
  LeaseRecord,
  Outcome,
  StreamExtent,
  TransactionRecord,
} from '@haip/protocol';
import type { Caller } from './caller.ts';
import type { HintWords } from './hints.ts';
import { encodeId, type Keys } from './keys.ts';
import { readRecord } from './records.ts';
import type { Argument } from './scripts.ts';

/** What the scripts say of a draft: its position, `repeat POSITION DIGEST`, or why it is refused. */
type Verdict = number | string;

const missing: Outcome = { kind: 'refused', why: 'missing' };

export class LogWriter {
  readonly #caller: Caller;
  readonly #keys: Keys;
  readonly #words: HintWords;

  constructor(caller: Caller, keys: Keys, words: HintWords) {
    this.#caller = caller;
    this.#keys = keys;
    this.#words = words;
  }

  async append(transaction: string, drafts: readonly Draft[], fence: number | undefined): Promise<void> {
    const name = encodeId(transaction);
    const keys = this.#transactionKeys(name);
    const args: Argument[] = [...this.#transactionArgs(name), fence === undefined ? '' : String(fence)];
    for (const draft of drafts) {
      draft.outcome = undefined;
      const row = rowOf(draft);
      const list = row.type === 'TRANSACTION_JOIN' && row.author !== '' ? this.#keys.list(encodeId(row.author)) : '';
      pushDraft(args, row, list === '' ? '' : String(keys.push(list)));
    }
    const verdicts = await this.#caller.call<Verdict[] | null>('append', keys, args);
    for (const [i, draft] of drafts.entries()) draft.outcome = verdicts === null ? missing : outcomeOf(verdicts[i]);
  }

  /** @param gone the encoded id of a transaction that the references name although it is gone. */
  async create(record: TransactionRecord, first: Draft, gone = ''): Promise<CreatedTransaction> {
    const name = encodeId(record.transaction);
    const starter = encodeId(record.starter);
    const keys = [...this.#transactionKeys(name), this.#keys.list(starter), this.#keys.references(starter)];
    const args: Argument[] = [
      ...this.#transactionArgs(name),
      JSON.stringify(record),
      encodeId(record.referenceId),
      starter,
      gone,
    ];
    pushDraft(args, rowOf(first), '');
    const [kind, epoch, answer] = await this.#caller.call<['created' | 'known' | 'taken', string, Verdict]>(
      'create',
      keys,
      args,
    );
    if (kind === 'taken') throw new Error(`history: ${record.transaction} exists already`);
    if (kind === 'created') {
      first.outcome = outcomeOf(answer);
      return { record, epoch, created: true };
    }
    const known = await readRecord(this.#caller, this.#keys.log(String(answer))[0]);
    return known === null ? this.create(record, first, String(answer)) : { record: known, epoch, created: false };
  }

  async compact(transaction: string, { messageId, start, end }: StreamExtent): Promise<void> {
    const args = [encodeId(`message:${messageId}`), String(start), String(end)];
    await this.#caller.call('compact', [this.#keys.meta, ...this.#keys.log(encodeId(transaction))], args);
  }

  async lease(transaction: string, holder: string, ttlMs: number): Promise<Lease | null> {
    const args = [encodeId(holder), String(ttlMs)];
    const lease = await this.#caller.call<[number, string] | null>('lease', this.#leaseKeys(transaction), args);
    return lease && { fence: lease[0], record: leaseRecordOf(lease[1] || null) };
  }

  async saveLease(transaction: string, fence: number, record: LeaseRecord): Promise<void> {
    await this.#caller.call('saveLease', this.#leaseKeys(transaction), [String(fence), JSON.stringify(record)]);
  }

  async revoke(user: string): Promise<void> {
    const name = encodeId(user);
    const { meta, revoked, hints } = this.#keys;
    await this.#caller.call(
      'revoke',
      [meta, revoked],
      [name, String(REVOKED_FOR_MS), hints, this.#words.revoked(name)],
    );
  }

  #transactionKeys(name: string): string[] {
    return [this.#keys.meta, ...this.#keys.transaction(name), this.#keys.due];
  }

  #transactionArgs(name: string): [string, string, string] {
    return [name, this.#keys.hints, this.#words.changed(name)];
  }

  #leaseKeys(transaction: string): string[] {
    return [this.#keys.meta, this.#keys.log(encodeId(transaction))[0]];
  }
}

/** As `judging` takes it. Flags: by the agent, a stream's start, an end with the whole text, the transaction's end, has bytes. */
function pushDraft(args: Argument[], row: DraftRow, list: string): void {
  const { author, id, digest, type, ts, size, isWhole, subject, body, bytes } = row;
  const flags = [
    author === '' ? 'a' : '',
    type === 'MESSAGE_START' ? 's' : '',
    isWhole ? 'w' : '',
    type === 'TRANSACTION_END' ? 'e' : '',
    bytes === undefined ? '' : 'b',
  ];
  args.push(encodeId(id), encodeId(author), digest, flags.join(''), String(ts), String(size));
  args.push(subject === undefined ? '' : encodeId(subject.key), subject?.step ?? '');
  // The agent's owner is an empty text, which is not none.
  args.push(subject?.owner === undefined ? '' : `=${encodeId(subject.owner)}`);
  args.push(subject?.within === undefined ? '' : encodeId(subject.within), list, body);
  args.push(bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}

function outcomeOf(verdict: Verdict | undefined): Outcome {
  if (typeof verdict === 'number') return { kind: 'stored', position: verdict };
  const [kind, position, digest = ''] = String(verdict).split(' ');
  if (kind === 'repeat') return { kind, position: Number(position), digest };
  return { kind: 'refused', why: kind as 'lease' | 'ended' | 'subject' };
}

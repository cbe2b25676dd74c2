// What the checker knows of one log of one epoch: learnt entry by entry from what the store said it stored. Judges each
// by the invariants that can be judged at that moment. Shares nothing with the store.

import { type Draft, isJsonObject } from '@haip/protocol';
import type { Verdicts } from './verdicts.ts';

/** A message as it was stored. */
export interface Stored {
  readonly position: number;
  readonly draft: Draft;
  /** A START or PART whose message has ended whole: compaction may take it away. */
  superfluous: boolean;
}

/** What a text that a client wrote begins with: who wrote it, and as what. */
const TOKEN = /^([a-z]+\d+)\.(\d+)/;

/** The mark that a simulated person puts into all they send; undefined for everything else. */
export function tokenOf({ type, payload, bytes }: Pick<Draft, 'type' | 'payload' | 'bytes'>): string | undefined {
  if (bytes !== undefined) return TOKEN.exec(new TextDecoder().decode(bytes))?.[0];
  if (typeof payload === 'string') return TOKEN.exec(payload)?.[0];
  if (!isJsonObject(payload)) return undefined;
  const text = payload[type === 'MESSAGE_PART' ? 'text' : 'token'];
  return typeof text === 'string' ? TOKEN.exec(text)?.[0] : undefined;
}

interface Stream {
  readonly parts: Stored[];
  ended: boolean;
}

export class StoredLog {
  readonly transaction: string;
  readonly epoch: string;
  /** It took the place of one that was lost: what was lost of it may be sent again, behind what came later. */
  readonly isAnother: boolean;
  readonly entries: Stored[] = [];
  /** The first position that could be read when somebody last read. */
  first = 1;
  ended = false;
  /** Messages that an agent's entry names. */
  readonly answered = new Map<string, number>();
  /** By author and id. */
  readonly ids = new Map<string, Stored>();
  readonly #tokens = new Set<string>();
  readonly #verdicts: Verdicts;
  readonly #givenUp: ReadonlySet<string>;
  readonly #streams = new Map<string, Stream>();
  readonly #runs = new Map<string, boolean>();
  /** The last thing each author's client sent, of what is stored here. */
  readonly #order = new Map<string, number>();

  /** @param givenUp tokens whose authors no longer wait for them. */
  constructor(verdicts: Verdicts, givenUp: ReadonlySet<string>, transaction: string, epoch: string, isAnother = false) {
    this.#givenUp = givenUp;
    this.#verdicts = verdicts;
    this.transaction = transaction;
    this.epoch = epoch;
    this.isAnother = isAnother;
  }

  get last(): number {
    return this.entries.length;
  }

  at(position: number): Stored | undefined {
    return this.entries[position - 1];
  }

  hasToken(token: string): boolean {
    return this.#tokens.has(token);
  }

  /** Takes what the store says it stored. */
  store(draft: Draft, position: number): void {
    const { transaction } = this;
    if (position <= this.last) {
      this.#verdicts.violated('2 log immutability', `${transaction} ${position} was given to a second message`);
      return;
    }
    if (position !== this.last + 1) {
      this.#verdicts.violated('1 log density', `${transaction}: ${position} stored after ${this.last}`);
      return;
    }
    const stored: Stored = { position, draft, superfluous: false };
    this.entries.push(stored);
    this.#checkOnce(stored);
    this.#checkTerminals(stored);
    this.#checkAuthorOrder(stored);
    if (draft.related_id !== undefined && draft.user === null) {
      this.answered.set(draft.related_id, (this.answered.get(draft.related_id) ?? 0) + 1);
    }
  }

  /** A retry was recognised. */
  repeat({ user, id }: Draft, position: number): void {
    const known = this.ids.get(`${user} ${id}`)?.position;
    if (known === position) return;
    this.#verdicts.violated('3 single copy', `${this.transaction}: the retry of ${id} got ${position}, not ${known}`);
  }

  #checkOnce(stored: Stored): void {
    const { user, id } = stored.draft;
    const key = `${user} ${id}`;
    if (this.ids.has(key)) {
      const { position } = this.ids.get(key) as Stored;
      this.#verdicts.violated('3 single copy', `${this.transaction}: ${id} at ${position} and ${stored.position}`);
    }
    this.ids.set(key, stored);
  }

  /** A client's messages lie in the order it sent them. What it sent as another user is another author's. */
  #checkAuthorOrder(stored: Stored): void {
    const { user } = stored.draft;
    if (user === null) return;
    const token = tokenOf(stored.draft);
    if (token === undefined) return;
    const [client, number] = token.split('.') as [string, string];
    const author = `${client} ${user}`;
    const before = this.#order.get(author) ?? -1;
    this.#tokens.add(token);
    if (Number(number) <= before && this.#givenUp.has(token)) return;
    if (Number(number) <= before && !this.isAnother) {
      this.#verdicts.violated('4 author order', `${this.transaction}: ${token} at ${stored.position} after ${before}`);
    }
    this.#order.set(author, Number(number));
  }

  #checkTerminals(stored: Stored): void {
    const { type, payload, run_id: run } = stored.draft;
    if (this.ended) this.#terminal(`${type} after TRANSACTION_END`);
    if (type === 'TRANSACTION_END') this.ended = true;
    else if (type === 'RUN_STARTED') this.#begin(this.#runs, String(run));
    else if (type === 'RUN_FINISHED' || (type === 'RUN_ERROR' && run !== undefined)) this.#end(String(run));
    else if (run !== undefined && this.#runs.get(run) === false) this.#terminal(`${type} after the end of its run`);
    if (type.startsWith('MESSAGE_') && type !== 'MESSAGE_UPDATE' && isJsonObject(payload)) {
      this.#stream(stored, String(payload['message_id']), typeof payload['text'] === 'string');
    }
  }

  #begin(subjects: Map<string, boolean>, key: string): void {
    if (subjects.has(key)) this.#terminal(`run ${key} began twice`);
    subjects.set(key, true);
  }

  #end(run: string): void {
    if (this.#runs.get(run) !== true) this.#terminal(`run ${run} ended without being open`);
    this.#runs.set(run, false);
  }

  #stream(stored: Stored, messageId: string, hasText: boolean): void {
    const { type } = stored.draft;
    const stream = this.#streams.get(messageId);
    if (type === 'MESSAGE_START') {
      if (stream !== undefined) this.#terminal(`message ${messageId} began twice`);
      this.#streams.set(messageId, { parts: [stored], ended: false });
      return;
    }
    if (stream === undefined || stream.ended) return this.#terminal(`${type} of ${messageId}, which is not open`);
    if (type === 'MESSAGE_PART') {
      stream.parts.push(stored);
      return;
    }
    stream.ended = true;
    if (hasText) for (const part of stream.parts) part.superfluous = true;
  }

  #terminal(what: string): void {
    this.#verdicts.violated('16 terminal uniqueness', `${this.transaction} ${this.last}: ${what}`);
  }
}

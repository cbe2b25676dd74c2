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

/** A run or a call. */
interface Subject {
  isOpen: boolean;
  /** Where the agent spoke of it last. */
  last: number;
}

interface Stream {
  readonly parts: Stored[];
  ended: boolean;
}

/** What those who write say themselves. */
interface Heard {
  /** Tokens whose authors no longer wait for them. */
  readonly givenUp: ReadonlySet<string>;
  /** What tools wrote of messages that they did not end. */
  readonly left: ReadonlyMap<string, string>;
}

function textOf({ parts }: Stream): string {
  return parts.map(({ draft }) => (draft.payload as { text?: string }).text ?? '').join('');
}

export class StoredLog {
  readonly transaction: string;
  readonly epoch: string;
  /**
   * What came once may come again, behind what came later: it was lost, as this log took the place of another one; or it
   * was refused by a tool that was busy, and its author never heard of that.
   */
  readonly isAgain: boolean;
  readonly entries: Stored[] = [];
  /** The first position that could be read when somebody last read. */
  first = 1;
  ended = false;
  /** A message ends with a text that was lost in part, with the log that this one took the place of. */
  isTorn = false;
  /** Messages that an agent's entry names. */
  readonly answered = new Map<string, number>();
  /** By author and id. */
  readonly ids = new Map<string, Stored>();
  readonly #tokens = new Set<string>();
  readonly #verdicts: Verdicts;
  readonly #heard: Heard;
  readonly #streams = new Map<string, Stream>();
  readonly #runs = new Map<string, Subject>();
  readonly #calls = new Map<string, Subject>();
  /** The last thing each author's client sent, of what is stored here. */
  readonly #order = new Map<string, number>();

  constructor(verdicts: Verdicts, heard: Heard, transaction: string, epoch: string, isAgain = false) {
    this.#heard = heard;
    this.#verdicts = verdicts;
    this.transaction = transaction;
    this.epoch = epoch;
    this.isAgain = isAgain;
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
    if (Number(number) <= before && this.#heard.givenUp.has(token)) return;
    if (Number(number) <= before && !this.isAgain) {
      this.#verdicts.violated('4 author order', `${this.transaction}: ${token} at ${stored.position} after ${before}`);
    }
    this.#order.set(author, Number(number));
  }

  #checkTerminals(stored: Stored): void {
    const { type, payload, run_id: run } = stored.draft;
    if (this.ended) this.#terminal(`${type} after TRANSACTION_END`);
    if (type === 'TRANSACTION_END') this.ended = true;
    else if (type === 'RUN_STARTED') this.#begin(this.#runs, 'run', String(run));
    else if (type === 'RUN_FINISHED' || (type === 'RUN_ERROR' && run !== undefined)) {
      this.#end(this.#runs, 'run', String(run));
      if (isJsonObject(payload) && payload['status'] === 'OK') this.#judgeRun(String(run));
    } else if (run !== undefined) this.#within(run, stored);
    if (isJsonObject(payload) && typeof payload['call_id'] === 'string') this.#call(type, payload['call_id']);
    if (type.startsWith('MESSAGE_') && type !== 'MESSAGE_UPDATE' && isJsonObject(payload)) {
      this.#stream(stored, String(payload['message_id']), typeof payload['text'] === 'string');
    }
  }

  /** A call of a client is opened, told of and ended by whom it likes; it has no run. */
  #call(type: string, call: string): void {
    if (type === 'TOOL_CALL') this.#begin(this.#calls, 'call', call);
    else if (type === 'TOOL_DONE') this.#end(this.#calls, 'call', call);
    else if (type === 'TOOL_UPDATE' && !this.#calls.get(call)?.isOpen) this.#terminal(`${type} of ${call}, not open`);
  }

  #within(run: string, { position, draft }: Stored): void {
    const subject = this.#runs.get(run);
    if (subject?.isOpen === false) this.#terminal(`${draft.type} after the end of its run`);
    if (subject && draft.user === null) subject.last = position;
  }

  #begin(subjects: Map<string, Subject>, kind: string, key: string): void {
    if (subjects.has(key)) this.#terminal(`${kind} ${key} began twice`);
    subjects.set(key, { isOpen: true, last: this.last });
  }

  #end(subjects: Map<string, Subject>, kind: string, key: string): void {
    if (!subjects.get(key)?.isOpen) this.#terminal(`${kind} ${key} ended without being open`);
    subjects.set(key, { isOpen: false, last: this.last });
  }

  /** A run or a call that nothing has ended yet. Of one that was trimmed whole nobody can know. */
  get unfinished(): string | undefined {
    for (const subjects of [this.#runs, this.#calls]) {
      for (const [key, { isOpen, last }] of subjects) if (isOpen && last >= this.first) return key;
    }
    return undefined;
  }

  judgeText(messageId: string, text: string): void {
    const stream = this.#streams.get(messageId);
    const stored = stream && textOf(stream);
    if (stored === text) return;
    const what = `${this.transaction} ${messageId}: "${stored}", not "${text}"`;
    this.#verdicts.violated('5 settled implies stored', what);
  }

  /** A run ended well: so all is there that its tool left for the server to end. */
  #judgeRun(run: string): void {
    if (this.isAgain) return;
    for (const [messageId, { parts }] of this.#streams) {
      const text = this.#heard.left.get(messageId);
      if (text !== undefined && parts[0]?.draft.run_id === run) this.judgeText(messageId, text);
    }
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
    if (!hasText) return;
    for (const part of stream.parts) part.superfluous = true;
    if (textOf(stream) === (stored.draft.payload as { text: string }).text) return;
    if (!this.isAgain) this.#terminal(`the end of ${messageId} has another text than its parts`);
    this.isTorn = true;
  }

  #terminal(what: string): void {
    this.#verdicts.violated('16 terminal uniqueness', `${this.transaction} ${this.last}: ${what}`);
  }
}

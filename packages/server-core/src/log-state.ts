// What a log says so far that everybody at work in it needs to know, folded entry by entry: members, what is open, what
// somebody wants stopped, which messages wait for their answer, whether it ended. Pure. Spec: §4, §6.

import { utf8Length } from '@haip/platform';
import { type Entry, isJsonObject, type JsonObject } from '@haip/protocol';
import { type AnyTool, answers } from './toolbox.ts';

/** A message stream that has no end yet. */
export interface OpenStream {
  readonly start: number;
  readonly author: string | undefined;
  readonly owner: string | null;
  readonly channel: string;
  readonly runId: string | undefined;
  /** How many parts it has. */
  parts: number;
  text: string;
  /** Of the text, in UTF-8. */
  bytes: number;
}

/** A run that has no end yet. */
export interface OpenRun {
  /** Somebody asked to stop it. */
  cancel: { readonly heardMs: number | undefined } | undefined;
}

/** A call that has no end yet. */
export interface OpenCall {
  readonly owner: string | null;
  readonly runId: string | undefined;
  /** What a person said to its question. */
  approved: boolean | undefined;
  /** Somebody asked to stop it. */
  isCancelled: boolean;
}

/** A message whose turn has not ended; or a stretch of the log, trimmed before this node read it, that may hold some. */
export interface Ask {
  /** Of the message, or the last one of the stretch. */
  readonly position: number;
  readonly id: string | undefined;
  /** The first position of a stretch. */
  readonly from?: number;
}

export class LogState {
  readonly members = new Set<string>();
  readonly streams = new Map<string, OpenStream>();
  readonly runs = new Map<string, OpenRun>();
  readonly calls = new Map<string, OpenCall>();
  /** Messages that this node's agent has yet to answer, the one being answered first; undefined while that is another node's. */
  asks: Ask[] | undefined;
  ended = false;
  readonly #tool: AnyTool | undefined;

  /** @param tool whose agent answers here; absent when this node does not have it. */
  constructor(starter: string, tool: AnyTool | undefined) {
    this.members.add(starter);
    this.#tool = tool;
    if (tool) this.asks = [];
  }

  /** Another epoch is another log: what was folded of the old one is void, but not who takes part. */
  begin(): void {
    this.ended = false;
    this.#closeAll();
    if (this.asks !== undefined) this.asks = [];
  }

  #closeAll(): void {
    this.streams.clear();
    this.runs.clear();
    this.calls.clear();
  }

  /** Every message up to here had its turn. */
  answered(position: number): void {
    const { asks } = this;
    while (asks !== undefined && (asks[0]?.position ?? Number.POSITIVE_INFINITY) <= position) asks.shift();
  }

  /** A stretch of the log was trimmed before anybody here read it. */
  skip(from: number, to: number): void {
    this.asks?.push({ position: to, id: undefined, from });
    // An open message is not trimmed: one that began there has ended there.
    for (const [id, { start }] of this.streams) if (start <= to) this.streams.delete(id);
  }

  fold(entry: Entry): void {
    const { type, user } = entry;
    if (this.asks && this.#tool && answers(this.#tool, entry))
      this.asks.push({ position: entry.position, id: entry.id });
    if (type === 'MESSAGE') return;
    const payload = isJsonObject(entry.payload) ? entry.payload : {};
    this.#inferRun(entry);
    switch (type) {
      case 'TRANSACTION_JOIN':
        if (user !== null) this.members.add(user);
        break;
      case 'TRANSACTION_LEAVE':
        if (user !== null) this.members.delete(user);
        break;
      case 'TRANSACTION_END':
        this.ended = true;
        this.#closeAll();
        break;
      case 'MESSAGE_START':
      case 'MESSAGE_PART':
      case 'MESSAGE_END':
        this.#foldStream(entry, payload);
        break;
      case 'RUN_STARTED':
      case 'RUN_CANCEL':
      case 'RUN_FINISHED':
      case 'RUN_ERROR':
        this.#foldRun(entry, payload);
        break;
      case 'TOOL_CALL':
      case 'TOOL_UPDATE':
      case 'TOOL_CANCEL':
      case 'TOOL_DONE':
        this.#foldCall(entry, payload);
        break;
    }
  }

  #foldStream({ type, position, user, channel, run_id }: Entry, payload: JsonObject): void {
    const id = String(payload['message_id']);
    const said = typeof payload['text'] === 'string' ? payload['text'] : '';
    if (type === 'MESSAGE_END') this.streams.delete(id);
    else if (type === 'MESSAGE_START') {
      this.streams.set(id, {
        start: position,
        author: typeof payload['author'] === 'string' ? payload['author'] : undefined,
        owner: user,
        channel,
        runId: run_id,
        parts: 0,
        text: said,
        bytes: utf8Length(said),
      });
    } else {
      const stream = this.streams.get(id);
      if (stream === undefined) return;
      stream.parts++;
      stream.text += said;
      stream.bytes += utf8Length(said);
    }
  }

  /** The beginning of a run may have been trimmed before this node read: what is said within it tells that it is open. */
  #inferRun({ user, run_id }: Entry): void {
    if (user === null && run_id !== undefined && !this.runs.has(run_id)) this.runs.set(run_id, { cancel: undefined });
  }

  #foldRun({ type, run_id }: Entry, payload: JsonObject): void {
    if (type === 'RUN_STARTED') this.runs.set(String(run_id), { cancel: undefined });
    else if (type === 'RUN_CANCEL') {
      const run = this.runs.get(String(payload['run_id']));
      const heard = payload['heard_ms'];
      if (run) run.cancel ??= { heardMs: typeof heard === 'number' ? heard : undefined };
    } else this.runs.delete(String(run_id));
  }

  #foldCall({ type, user, run_id }: Entry, payload: JsonObject): void {
    const id = String(payload['call_id']);
    const call = this.calls.get(id);
    if (type === 'TOOL_CALL') {
      this.calls.set(id, { owner: user, runId: run_id, approved: undefined, isCancelled: false });
    } else if (type === 'TOOL_DONE') this.calls.delete(id);
    else if (call === undefined) {
      // The same of a call: only its owner says how far it is.
      if (type === 'TOOL_UPDATE' && user === null) {
        this.calls.set(id, { owner: user, runId: run_id, approved: undefined, isCancelled: false });
      }
      return;
    } else if (type === 'TOOL_CANCEL') call.isCancelled = true;
    else if (payload['status'] === 'APPROVED' || payload['status'] === 'DENIED') {
      call.approved ??= payload['status'] === 'APPROVED';
    }
  }
}

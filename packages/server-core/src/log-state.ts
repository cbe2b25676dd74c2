// What a log says so far that everybody at work in it needs to know, folded entry by entry: members, open streams, runs
// that somebody wants stopped, whether it ended. Pure: knows nothing that is not in an entry. Spec: §4, §6.

import { type Entry, isJsonObject } from '@haip/protocol';
import { utf8Length } from './utf8.ts';

/** A message stream that has no end yet. */
export interface OpenStream {
  readonly start: number;
  readonly author: string | undefined;
  readonly owner: string | null;
  readonly channel: string;
  text: string;
  /** Of the text, in UTF-8. */
  bytes: number;
}

export class LogState {
  readonly members = new Set<string>();
  readonly streams = new Map<string, OpenStream>();
  /** Runs that somebody asked to stop and that have not ended. */
  readonly cancelled = new Set<string>();
  ended = false;
  readonly #runs = new Set<string>();

  constructor(starter: string) {
    this.members.add(starter);
  }

  /** Another epoch is another log: what was folded of the old one is void, but not who takes part. */
  begin(): void {
    this.ended = false;
    this.streams.clear();
    this.cancelled.clear();
    this.#runs.clear();
  }

  fold(entry: Entry): void {
    if (entry.type === 'MESSAGE') return;
    const payload = isJsonObject(entry.payload) ? entry.payload : {};
    const messageId = String(payload['message_id']);
    switch (entry.type) {
      case 'TRANSACTION_JOIN':
        if (entry.user !== null) this.members.add(entry.user);
        break;
      case 'TRANSACTION_LEAVE':
        if (entry.user !== null) this.members.delete(entry.user);
        break;
      case 'TRANSACTION_END':
        this.ended = true;
        this.streams.clear();
        this.cancelled.clear();
        break;
      case 'MESSAGE_START':
        this.streams.set(messageId, {
          start: entry.position,
          author: typeof payload['author'] === 'string' ? payload['author'] : undefined,
          owner: entry.user,
          channel: entry.channel,
          text: typeof payload['text'] === 'string' ? payload['text'] : '',
          bytes: typeof payload['text'] === 'string' ? utf8Length(payload['text']) : 0,
        });
        break;
      case 'MESSAGE_PART': {
        const stream = this.streams.get(messageId);
        if (stream === undefined || typeof payload['text'] !== 'string') break;
        stream.text += payload['text'];
        stream.bytes += utf8Length(payload['text']);
        break;
      }
      case 'MESSAGE_END':
        this.streams.delete(messageId);
        break;
      case 'RUN_STARTED':
        this.#runs.add(String(entry.run_id));
        break;
      case 'RUN_CANCEL': {
        const runId = String(payload['run_id']);
        if (this.#runs.has(runId)) this.cancelled.add(runId);
        break;
      }
      case 'RUN_FINISHED':
      case 'RUN_ERROR':
        this.#runs.delete(String(entry.run_id));
        this.cancelled.delete(String(entry.run_id));
        break;
    }
  }
}

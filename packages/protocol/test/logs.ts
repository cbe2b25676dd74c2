// Random logs as a server may write them: streams that interleave, whole messages, audio, edits, runs, calls, people.
import fc from 'fast-check';
import type { Conversation, ConversationEntry, JsonObject, JsonValue } from '../src/index.ts';
import { emptyConversation, reduceConversation } from '../src/index.ts';

/** An entry with sound defaults at a position. */
export function entryAt(
  position: number,
  type: string,
  payload: JsonValue,
  change: Partial<ConversationEntry> = {},
): ConversationEntry {
  const base = { id: `e-${position}`, session: 's-agent', ts: 1_000 + position, channel: 'AGENT' };
  return { ...base, position, type, payload, ...change };
}

export function reduceAll(log: readonly ConversationEntry[], from: Conversation = emptyConversation): Conversation {
  return log.reduce(reduceConversation, from);
}

interface Stream {
  readonly messageId: string;
  readonly start: number;
  readonly author?: string;
  readonly runId?: string;
  text: string;
  end?: number;
}

/** Positions of one stream that compaction may delete, once it has its END. */
export interface RandomLog {
  readonly entries: readonly ConversationEntry[];
  readonly streams: readonly Stream[];
}

const words = fc.constantFrom('', 'a', ' tide', '☕', '\n');
const pick = fc.nat(1_000);
const anyStep = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('start' as const), words, author: fc.boolean(), run: fc.boolean() }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('part' as const), words, pick }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('end' as const), pick, status: fc.constantFrom(undefined, 'interrupted') }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('message' as const), words }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('update' as const), pick, words, delete: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('audio' as const), pick, alone: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('run' as const), pick, ends: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      pick,
      status: fc.constantFrom('RUNNING', 'WAITING', 'OK'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('person' as const), pick, leaves: fc.boolean() }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never;

class LogWriter {
  readonly entries: ConversationEntry[] = [
    entryAt(1, 'TRANSACTION_START', { toolName: 'echo' }, { session: 's-1', channel: 'SYSTEM' }),
  ];
  readonly streams: Stream[] = [];
  readonly #finished: string[] = [];

  write(type: string, payload: JsonValue, change: Partial<ConversationEntry> = {}): number {
    const position = this.entries.length + 1;
    this.entries.push(entryAt(position, type, payload, change));
    return position;
  }

  take(step: Step): void {
    const open = this.streams.filter(({ end }) => end === undefined);
    const one = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(list.length, 1)];
    switch (step.do) {
      case 'start':
        return this.#start(step.words, step.author, step.run);
      case 'part':
        return this.#part(one(open, step.pick), step.words);
      case 'end':
        return this.#end(one(open, step.pick), step.status);
      case 'message':
        this.#finished.push(`e-${this.write('MESSAGE', step.words, { session: 's-1', channel: 'USER' })}`);
        return;
      case 'update': {
        const message_id = one(this.#finished, step.pick);
        if (message_id === undefined) return;
        this.write('MESSAGE_UPDATE', step.delete ? { message_id, delete: true } : { message_id, text: step.words });
        return;
      }
      case 'audio': {
        const stream = step.alone ? undefined : one(this.streams, step.pick);
        const change = {
          bytes: new Uint8Array([step.pick % 256]),
          mime: 'audio/ogg',
          ...(stream?.runId ? { run_id: stream.runId } : {}),
        };
        this.write('AUDIO', stream ? { message_id: stream.messageId } : {}, change);
        return;
      }
      case 'run':
        this.write(step.ends ? 'RUN_FINISHED' : 'RUN_STARTED', step.ends ? { status: 'OK' } : {}, {
          run_id: `run-${step.pick % 3}`,
        });
        return;
      case 'call':
        return this.#call(`c-${step.pick % 3}`, step.status);
      default:
        this.write(
          step.leaves ? 'TRANSACTION_LEAVE' : 'TRANSACTION_JOIN',
          {},
          { session: `s-${step.pick % 3}`, channel: 'SYSTEM' },
        );
    }
  }

  #start(text: string, hasAuthor: boolean, hasRun: boolean): void {
    const start = this.entries.length + 1;
    const stream: Stream = {
      messageId: `w-${start}`,
      start,
      text,
      ...(hasAuthor ? { author: 'Ada' } : {}),
      ...(hasRun ? { runId: 'run-0' } : {}),
    };
    const payload: JsonObject = {
      message_id: stream.messageId,
      ...(text === '' ? {} : { text }),
      ...(hasAuthor ? { author: 'Ada' } : {}),
    };
    this.write('MESSAGE_START', payload, hasRun ? { run_id: 'run-0' } : {});
    this.streams.push(stream);
  }

  #part(stream: Stream | undefined, text: string): void {
    if (stream === undefined) return;
    stream.text += text;
    this.write('MESSAGE_PART', { message_id: stream.messageId, text }, stream.runId ? { run_id: stream.runId } : {});
  }

  #end(stream: Stream | undefined, status: string | undefined): void {
    if (stream === undefined) return;
    const { messageId, start, author, runId, text } = stream;
    const payload: JsonObject = {
      message_id: messageId,
      start_seq: String(start),
      text,
      ...(author ? { author } : {}),
      ...(status ? { status } : {}),
    };
    stream.end = this.write('MESSAGE_END', payload, runId ? { run_id: runId } : {});
    this.#finished.push(messageId);
  }

  #call(call_id: string, status: string): void {
    if (status === 'OK') this.write('TOOL_DONE', { call_id, result: 1 });
    else
      this.write(status === 'RUNNING' ? 'TOOL_CALL' : 'TOOL_UPDATE', {
        call_id,
        tool: 'book',
        status: 'WAITING',
        ask: 'Really?',
      });
  }
}

/** A log, its message streams still open where no END came, and sometimes a TRANSACTION_END as its last entry. */
export const anyLog: fc.Arbitrary<RandomLog> = fc
  .tuple(fc.array(anyStep, { maxLength: 60 }), fc.boolean())
  .map(([steps, ended]) => {
    const log = new LogWriter();
    for (const step of steps) log.take(step);
    if (ended) log.write('TRANSACTION_END', {}, { channel: 'SYSTEM' });
    return log;
  });

/** The log after compaction of these streams: their START and PART entries are gone. */
export function compacted({ entries }: RandomLog, streams: readonly Stream[]): ConversationEntry[] {
  const ids = new Set(streams.filter(({ end }) => end !== undefined).map(({ messageId }) => messageId));
  return entries.filter(({ type, payload }) => {
    if (type !== 'MESSAGE_START' && type !== 'MESSAGE_PART') return true;
    return !ids.has(String((payload as JsonObject)['message_id']));
  });
}

/** The log as a reader gets it that was sent every START and PART: each END short. */
export function withShortEnds({ entries }: RandomLog): ConversationEntry[] {
  return entries.map((entry) => {
    if (entry.type !== 'MESSAGE_END') return entry;
    const { text: _whole, ...short } = entry.payload as JsonObject;
    return { ...entry, payload: short };
  });
}

/** The log with runs of adjacent parts of one message merged into one frame each. */
export function withMergedParts({ entries }: RandomLog): ConversationEntry[] {
  const merged: ConversationEntry[] = [];
  for (const entry of entries) {
    const last = merged.at(-1);
    const [before, now] = [last?.payload, entry.payload] as (JsonObject | undefined)[];
    if (
      entry.type === 'MESSAGE_PART' &&
      last?.type === 'MESSAGE_PART' &&
      before?.['message_id'] === now?.['message_id']
    ) {
      merged[merged.length - 1] = { ...entry, payload: { ...now, text: `${before?.['text']}${now?.['text']}` } };
    } else merged.push(entry);
  }
  return merged;
}

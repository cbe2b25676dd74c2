// A tool's hand on one streamed message: cuts text into parts that fit an envelope, keeps to the size limit, ends once.

import { type MessageWriter, type Pending, type Subject, subjectOf } from '@haip/protocol';
import type { ServerLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { utf8Length } from './utf8.ts';

/** Longest part in UTF-16 units: at six bytes each in JSON it fits the smallest envelope limit in use. */
const PART_UNITS = 32 * 1024;
/** What a part takes besides its text. */
const PART_BYTES = 320;

/** A part as its turn writes it. */
interface PartStatement {
  readonly type: 'MESSAGE_PART';
  readonly payload: { readonly message_id: string; readonly text: string };
  readonly size: number;
  readonly subject: Subject | undefined;
}

/** What a writer writes through: its turn. */
export interface StreamLog {
  say(part: PartStatement): Promise<void>;
  endStream(messageId: string, status: string | undefined): Promise<void>;
}

/** Where to cut text that begins at `from`: at most `units` further on, never amid a surrogate pair. */
function cutAt(text: string, from: number, units: number): number {
  const to = from + units;
  if (to >= text.length) return text.length;
  const last = text.charCodeAt(to - 1);
  return last >= 0xd800 && last <= 0xdbff ? to - 1 : to;
}

export class StreamWriter implements MessageWriter {
  readonly messageId: string;
  readonly #most: number;
  readonly #log: StreamLog;
  readonly #pace: Pace;
  /** The same for every part. */
  readonly #subject: Subject | undefined;
  #bytes = 0;
  /** Until what was written last is stored: its end waits for that. */
  written: Pending = undefined;
  #ended: Promise<void> | undefined;

  constructor(messageId: string, limits: ServerLimits, log: StreamLog, pace: Pace) {
    this.messageId = messageId;
    this.#most = limits.maxStreamBytes;
    this.#log = log;
    this.#pace = pace;
    this.#subject = subjectOf('MESSAGE_PART', { message_id: messageId }, '');
  }

  write(text: string): Promise<void> {
    if (this.#ended) return Promise.reject(new Error('the message has ended: nothing more can be written to it'));
    this.#bytes += utf8Length(text);
    if (this.#bytes > this.#most) return this.#tooLong();
    return text !== '' && text.length <= PART_UNITS ? this.#part(text) : this.#parts(text);
  }

  end(status?: string): Promise<void> {
    // An end that failed may be tried again.
    this.#ended ??= this.#end(status).catch((error: unknown) => {
      this.#ended = undefined;
      throw error;
    });
    return this.#ended;
  }

  async #end(status: string | undefined): Promise<void> {
    try {
      await this.written;
    } catch {
      // Whoever wrote it was told; it may be in the log all the same.
    }
    await this.#log.endStream(this.messageId, status);
  }

  #part(text: string): Promise<void> {
    const payload = { message_id: this.messageId, text };
    const size = PART_BYTES + text.length;
    const written = this.#log.say({ type: 'MESSAGE_PART', payload, size, subject: this.#subject });
    this.written = written;
    return this.#pace.after(written);
  }

  async #parts(text: string): Promise<void> {
    for (let from = 0; from < text.length; ) {
      const to = cutAt(text, from, PART_UNITS);
      await this.#part(text.slice(from, to));
      from = to;
    }
  }

  async #tooLong(): Promise<never> {
    await this.end('interrupted');
    throw new RangeError(`message text: expected at most ${this.#most} bytes; the message was ended as interrupted`);
  }
}

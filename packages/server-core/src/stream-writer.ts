// A tool's hand on one streamed message: gathers what a turn of the event loop brings into one part, cuts text into parts
// that fit an envelope, keeps to the size limit, ends once.

import { utf8Length } from '@haip/platform';
import { type MessageWriter, type Pending, type Subject, subjectOf } from '@haip/protocol';
import type { ServerLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { heard, settled } from './promises.ts';

/** Longest part in UTF-16 units: at six bytes each in JSON it fits the smallest envelope limit in use. */
const PART_UNITS = 32 * 1024;
/** Longest status of an end, as its payload has it. */
const MOST_STATUS_UNITS = 128;
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
  /**
   * Has `writer.store()` called before anything else of the turn is written, at the latest when this turn of the event
   * loop ends and the store is free.
   *
   * @throws when nothing may be written any more, with why.
   */
  gather(writer: StreamWriter): void;
  /** Stores what was gathered, of whichever message. */
  storeGathered(): void;
  /** Appends a part. When that fails, `writer.lose()` is told. */
  append(part: PartStatement, writer: StreamWriter): Pending;
  endStream(messageId: string, status: string | undefined): Promise<void>;
  /** Notes what a tool did wrong, which may wait for none of its calls. Gives the error back. */
  wrong<T>(error: T): T;
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
  /** Text that is not appended yet. */
  #text = '';
  readonly #mostGathered: number;
  /** Until what was appended last is stored, or is not. */
  #underWay: Promise<void> | undefined;
  /** What kept some of the text from being stored. Nothing is written after it: a text has no holes. */
  #lost: { readonly error: unknown } | undefined;
  #closed: Promise<void> | undefined;

  /** @param mostGathered longest text that waits for the turn of the event loop to end, in UTF-16 units */
  constructor(messageId: string, limits: ServerLimits, log: StreamLog, pace: Pace, mostGathered: number) {
    this.messageId = messageId;
    this.#most = limits.maxStreamBytes;
    this.#log = log;
    this.#pace = pace;
    this.#mostGathered = mostGathered;
    this.#subject = subjectOf('MESSAGE_PART', { message_id: messageId }, '');
  }

  write(text: string): Promise<void> {
    try {
      if (typeof text !== 'string')
        throw this.#log.wrong(new TypeError(`text: expected a string, got a ${typeof text}`));
      if (this.#closed) throw this.#log.wrong(new Error('the message has ended: nothing more can be written to it'));
      this.#log.gather(this);
      this.#tell();
      this.#bytes += utf8Length(text);
      if (this.#bytes > this.#most) return heard(this.#tooLong());
      this.#take(text);
      if (this.#underWay) return heard(this.#pace.after(this.#underWay.then(this.#tell)));
      this.#tell();
      return this.#pace.after(settled);
    } catch (error) {
      return heard(Promise.reject(error));
    }
  }

  end(status?: string): Promise<void> {
    return heard(this.#end(status));
  }

  async #end(status: string | undefined): Promise<void> {
    if (status !== undefined && !(typeof status === 'string' && status.length <= MOST_STATUS_UNITS)) {
      throw this.#log.wrong(new TypeError(`status: expected a string of at most ${MOST_STATUS_UNITS} characters`));
    }
    await this.#close(status);
    this.#tell();
  }

  /** Appends what was gathered. */
  store(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#append(text);
  }

  lose(error: unknown): void {
    this.#lost ??= { error };
  }

  readonly #tell = (): void => {
    if (this.#lost) throw this.#lost.error;
  };

  #take(text: string): void {
    if (this.#text.length + text.length > PART_UNITS) this.store();
    let from = 0;
    while (text.length - from > PART_UNITS) {
      const to = cutAt(text, from, PART_UNITS);
      this.#append(text.slice(from, to));
      from = to;
    }
    this.#text += text.slice(from);
    if (this.#text.length > this.#mostGathered) this.store();
  }

  #append(text: string): void {
    if (this.#lost) return;
    const payload = { message_id: this.messageId, text };
    const size = PART_BYTES + text.length;
    const stored = this.#log.append({ type: 'MESSAGE_PART', payload, size, subject: this.#subject }, this);
    if (stored === undefined) return;
    const underWay = stored.then(() => {
      if (this.#underWay === underWay) this.#underWay = undefined;
    });
    this.#underWay = underWay;
  }

  #close(status: string | undefined): Promise<void> {
    // An end that failed may be tried again.
    this.#closed ??= this.#closeOnce(status).catch((error: unknown) => {
      this.#closed = undefined;
      throw error;
    });
    return this.#closed;
  }

  async #closeOnce(status: string | undefined): Promise<void> {
    this.#log.storeGathered();
    if (this.#underWay) await this.#underWay;
    await this.#log.endStream(this.messageId, status);
  }

  async #tooLong(): Promise<never> {
    await this.#close('interrupted');
    throw new RangeError(`message text: expected at most ${this.#most} bytes; the message was ended as interrupted`);
  }
}

// A tool's hand on one streamed message: cuts text into parts that fit an envelope, keeps to the size limit, ends once.

import type { MessageWriter } from '@haip/protocol';
import type { ServerLimits } from './limits.ts';

/** Longest part in UTF-16 units: at six bytes each in JSON it fits the smallest envelope limit in use. */
const PART_UNITS = 32 * 1024;

/** What a writer writes through: its turn. */
export interface StreamLog {
  write(
    parts: readonly { readonly type: string; readonly payload: { message_id: string; text: string } }[],
  ): Promise<void>;
  endStream(messageId: string, status: string | undefined): Promise<void>;
}

/** Pieces of at most `units`, never cutting a surrogate pair in two. */
function* pieces(text: string, units: number): Generator<string> {
  let from = 0;
  while (from < text.length) {
    let to = Math.min(from + units, text.length);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to--;
    yield text.slice(from, to);
    from = to;
  }
}

export class StreamWriter implements MessageWriter {
  readonly messageId: string;
  readonly #most: number;
  readonly #log: StreamLog;
  #length = 0;
  #ended: Promise<void> | undefined;

  constructor(messageId: string, limits: ServerLimits, log: StreamLog) {
    this.messageId = messageId;
    this.#most = limits.maxStreamBytes;
    this.#log = log;
  }

  async write(text: string): Promise<void> {
    if (this.#ended) throw new Error('the message has ended: nothing more can be written to it');
    if (text === '') return;
    this.#length += text.length;
    if (this.#length > this.#most) {
      await this.close('interrupted');
      throw new RangeError(`message text: expected at most ${this.#most} bytes; the message was ended as interrupted`);
    }
    const parts = Array.from(pieces(text, PART_UNITS), (piece) => ({
      type: 'MESSAGE_PART',
      payload: { message_id: this.messageId, text: piece },
    }));
    await this.#log.write(parts);
  }

  end(status?: string): Promise<void> {
    return this.close(status);
  }

  /** Ends the message unless it has ended. */
  close(status: string | undefined): Promise<void> {
    this.#ended ??= this.#log.endStream(this.messageId, status);
    return this.#ended;
  }
}

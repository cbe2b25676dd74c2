// A value on a subject of its own that is replaced now and then, each time on the condition that it still is the one that
// was read: who claimed a reference, the epoch. On a cluster several may be stored that were to come after the same: the
// first of them counts, the others are void. Removes no newest message: NATS 2.9 would then know of none on the subject.

import type { Stream } from './stream.ts';

/** The value that counts, and where. */
export interface Registered<T> {
  readonly seq: number;
  readonly value: T;
  /** Every message of the subject, in order; some may be void. */
  readonly all: readonly number[];
}

/** As it lies in a message. */
interface Written<T> {
  readonly value: T;
  /** The sequence of the one that it replaces; 0 for none. */
  readonly after: number;
}

export async function readRegister<T>(stream: Stream, subject: string): Promise<Registered<T> | null> {
  if (!stream.isReplicated) {
    const message = await stream.last(subject);
    return message && { seq: message.seq, value: valueIn<T>(message.data), all: [message.seq] };
  }
  let counts: Omit<Registered<T>, 'all'> | undefined;
  const all: number[] = [];
  for (let message = await stream.next(1, subject); message !== null; ) {
    const { value, after } = writtenIn<T>(message.data);
    if (counts === undefined || after === counts.seq) counts = { seq: message.seq, value };
    all.push(message.seq);
    message = await stream.next(message.seq + 1, subject);
  }
  return counts ? { ...counts, all } : null;
}

/**
 * Puts a value in the place of the one that was read, null for none. Gives its sequence; undefined when somebody may have
 * been faster: what counts is to be read again.
 *
 * @param id names the message: one that comes twice is stored once.
 */
export async function writeRegister<T>(
  stream: Stream,
  subject: string,
  known: Registered<T> | null,
  { value, id }: { readonly value: T; readonly id: string },
): Promise<number | undefined> {
  const { seq: after = 0, all = [] } = known ?? {};
  const data = Buffer.from(JSON.stringify({ value, after } satisfies Written<T>));
  const appended = await stream.append(subject, data, { after: all.at(-1) ?? 0, id });
  if (appended?.isNext !== true) return undefined;
  // The newest first: as long as the replaced one is there, what follows from it is.
  for (const seq of all.toReversed()) await stream.remove([seq]);
  return appended.seq;
}

/** The value in a message, whether or not it counts. */
export function valueIn<T>(data: Uint8Array): T {
  return writtenIn<T>(data).value;
}

function writtenIn<T>(data: Uint8Array): Written<T> {
  return JSON.parse(Buffer.from(data).toString()) as Written<T>;
}

// The owner's side of a handed-over POST: takes each once, however often it comes, says at once that it has it, and tells
// what it is answered, again if asked again. Spec: §7.4.

import { backgroundInterval } from './background-interval.ts';
import type { PostWord, ReplyWord } from './handover-words.ts';
import type { PostAnswer } from './posts.ts';

/** Takes a POST: its answer, now or later. */
export type TakePost = (word: PostWord & { readonly body: Uint8Array }) => PostAnswer | Promise<PostAnswer>;

/** A POST that is being answered, or was. */
interface Known {
  answer: PostAnswer | undefined;
  /** How many sweeps what was answered is still known. */
  sweepsLeft: number;
}

const sweepMs = 5_000;
/** Longer than anybody asks: 15 s after it was heard that it is here. */
const sweepsKept = 4;

export class HandedOver {
  readonly #take: TakePost;
  readonly #reply: (to: string, word: ReplyWord) => void;
  readonly #known = new Map<string, Known>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(take: TakePost, reply: (to: string, word: ReplyWord) => void) {
    this.#take = take;
    this.#reply = reply;
  }

  /** A POST came, perhaps not for the first time. */
  receive(word: PostWord): void {
    const { from, id, body } = word;
    const known = this.#known.get(keyOf(word));
    if (known !== undefined) return this.#tell(from, id, known);
    // It was here once and is forgotten: whoever asks is not waiting any more.
    if (body === undefined) return;
    const answer = this.#take({ ...word, body });
    if (answer instanceof Promise) this.#await(word, answer);
    else this.#reply(from, { kind: 'answer', id, answer });
  }

  #await(word: PostWord, pending: Promise<PostAnswer>): void {
    const { from, id } = word;
    const known: Known = { answer: undefined, sweepsLeft: sweepsKept };
    this.#known.set(keyOf(word), known);
    this.#timer ??= backgroundInterval(() => this.#sweep(), sweepMs);
    // Most are answered in the turn they come in: then one word is enough.
    const soon = setTimeout(() => this.#tell(from, id, known));
    void pending.then((answer) => {
      clearTimeout(soon);
      known.answer = answer;
      this.#tell(from, id, known);
    });
  }

  #tell(to: string, id: string, { answer }: Known): void {
    this.#reply(to, answer ? { kind: 'answer', id, answer } : { kind: 'has', id });
  }

  #sweep(): void {
    for (const [key, known] of this.#known) {
      if (known.answer && --known.sweepsLeft < 0) this.#known.delete(key);
    }
    if (this.#known.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const keyOf = ({ from, id }: PostWord): string => `${from} ${id}`;

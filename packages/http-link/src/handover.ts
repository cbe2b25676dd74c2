// Hands POSTs over to the node that owns their stream, by a backplane that may lose, delay and double what it carries:
// asks again until the owner says that it has the POST, then until it is answered. One topic a node, named by the node,
// which is no secret; what is one travels in the body alone. Never logs. Spec: §7.4.

import type { Backplane } from '@haip/protocol';
import { HandedOver, type TakePost } from './handed-over.ts';
import { type PostWord, readWord, type Word, writeWord } from './handover-words.ts';
import type { PostAnswer } from './posts.ts';
import { randomText } from './random-text.ts';

/** Gives a POST to its owner. What that answers, or 404 when it does not say in time that it has it. Never rejects. */
export type WayToOwner = (body: Uint8Array, isOneEnvelope: boolean) => Promise<PostAnswer>;

export interface HandoverOptions {
  readonly transport: string;
  /** How long an answer may take once the owner has the POST, in ms. */
  readonly answerTimeoutMs: number;
}

interface Asked {
  readonly owner: string;
  readonly word: PostWord;
  readonly end: (answer: PostAnswer) => void;
  isHeld: boolean;
  /** Since it was asked first, or since the owner said that it has it. */
  waitedMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const heldWithinMs = 2_000;
const askAgainMs = 500;
const askForAnswerMs = 2_000;
/** Beside the body: an empty one costs something, too. */
const overheadBytes = 512;
/** What is under way to other nodes together; beyond it clients are asked to wait. */
const mostBytes = 32 * 2 ** 20;

const nameBytes = 12;
const owned = /^([\w-]{16})\.[\w-]{32}$/;
const topicOf = (node: string): string => `haip.posts.${node}`;

export const notFound: PostAnswer = { status: 404, expected: 'an open stream' };
const late: PostAnswer = { status: 503, expected: 'an answer in time from the server of this stream' };
const tooMany: PostAnswer = { status: 503, expected: 'fewer POSTs for the streams of other servers' };

export class Handover {
  /** This node's, in the addresses of its streams. */
  readonly name = randomText(nameBytes);
  readonly #backplane: Backplane;
  readonly #options: HandoverOptions;
  readonly #handedOver: HandedOver;
  readonly #asked = new Map<string, Asked>();
  #bytes = 0;
  #count = 0;

  /** Listens for as long as the backplane carries anything. */
  constructor(backplane: Backplane, options: HandoverOptions, take: TakePost) {
    this.#backplane = backplane;
    this.#options = options;
    this.#handedOver = new HandedOver(take, (to, word) => this.#say(to, word));
    backplane.listen(topicOf(this.name), (body) => this.#hear(body));
  }

  /** The way to the other node that an address names, if it names one. */
  wayTo(address: string): WayToOwner | undefined {
    const owner = owned.exec(address)?.[1];
    if (owner === undefined || owner === this.name) return undefined;
    return (body, isOneEnvelope) => this.#give(owner, address, body, isOneEnvelope);
  }

  #give(owner: string, address: string, body: Uint8Array, isOneEnvelope: boolean): Promise<PostAnswer> {
    const bytes = body.length + overheadBytes;
    if (this.#bytes + bytes > mostBytes) return Promise.resolve(tooMany);
    this.#bytes += bytes;
    const id = String(++this.#count);
    const { transport } = this.#options;
    const word: PostWord = { kind: 'post', from: this.name, id, transport, address, isOneEnvelope, body };
    return new Promise((resolve) => {
      const end = (answer: PostAnswer): void => {
        this.#bytes -= bytes;
        this.#asked.delete(id);
        clearTimeout(asked.timer);
        resolve(answer);
      };
      const asked: Asked = { owner, word, end, isHeld: false, waitedMs: 0, timer: undefined };
      this.#asked.set(id, asked);
      this.#ask(asked);
    });
  }

  #ask(asked: Asked): void {
    const { owner, word, isHeld } = asked;
    this.#say(owner, isHeld ? { ...word, body: undefined } : word);
    this.#wait(asked);
  }

  #wait(asked: Asked): void {
    const { isHeld, waitedMs } = asked;
    const leftMs = (isHeld ? this.#options.answerTimeoutMs : heldWithinMs) - waitedMs;
    const waitMs = Math.min(leftMs, isHeld ? askForAnswerMs : askAgainMs);
    asked.timer = setTimeout(() => {
      asked.waitedMs += waitMs;
      if (waitMs < leftMs) this.#ask(asked);
      else asked.end(isHeld ? late : notFound);
    }, waitMs);
  }

  #hear(bytes: Uint8Array): void {
    const word = readWord(bytes);
    if (word?.kind === 'post') return this.#handedOver.receive(word);
    const asked = word && this.#asked.get(word.id);
    if (asked === undefined) return;
    if (word?.kind === 'answer') return asked.end(word.answer);
    if (asked.isHeld) return;
    asked.isHeld = true;
    asked.waitedMs = 0;
    clearTimeout(asked.timer);
    this.#wait(asked);
  }

  /** A word that could not be told is a word that was lost. */
  #say(node: string, word: Word): void {
    try {
      const telling = this.#backplane.notify(topicOf(node), writeWord(word));
      telling?.catch(() => {});
    } catch {}
  }
}

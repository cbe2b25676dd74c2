// What the nodes that share a store tell each other beside the log: which session came, so that its older connection
// elsewhere is ended; which lease is free, so that whoever waits for it need not wait for it to lapse. Words may be lost, late or doubled, so each is true for good and hurts nobody when it comes again.
// Says nothing where the store has one node. Spec: §2.2, §4.

import { type HistoryStore, isJsonObject, type JsonObject } from '@haip/protocol';
import type { ServerContext } from './context.ts';

const TOPIC = 'haip.nodes';

/** A connection of a session, wherever it is. */
export interface SessionPlace {
  readonly session: string;
  readonly attempt: number;
  /** The id of its HAI: two requests with one HAI are one client's, and of no account to each other. */
  readonly hai: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Nodes {
  readonly #context: () => ServerContext;
  readonly #unlisten: (() => void) | undefined;

  constructor(history: HistoryStore, context: () => ServerContext) {
    this.#context = context;
    this.#unlisten = history.supports.shared ? history.listen(TOPIC, (body) => this.#hear(body)) : undefined;
  }

  stop(): void {
    this.#unlisten?.();
  }

  /** A connection of a session that was here before was let in. */
  came({ session, attempt, hai }: SessionPlace): void {
    this.#tell({ session, attempt, hai });
  }

  /** Another node may answer in a transaction now. */
  left(transaction: string): void {
    this.#tell({ left: transaction });
  }

  #tell(word: JsonObject): void {
    if (this.#unlisten === undefined) return;
    const { history, log, logs } = this.#context();
    const failed = (error: unknown): void => log('warn', 'nodes not told', { error });
    try {
      const telling = history.notify(TOPIC, encoder.encode(JSON.stringify({ ...word, from: logs.name })));
      telling?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #hear(body: Uint8Array): void {
    const word = readWord(body);
    if (word === undefined || word['from'] === this.#context().logs.name) return;
    const { session, attempt, hai, left } = word;
    if (typeof left === 'string') this.#context().logs.leaseIsFree(left);
    if (typeof session === 'string' && typeof attempt === 'number' && typeof hai === 'string') {
      this.#fence({ session, attempt, hai });
    }
  }

  /** Of two connections of a session the newer lives, whoever hears of the other first. */
  #fence(other: SessionPlace): void {
    const live = this.#context().sessions.get(other.session);
    if (live === undefined || live.hai === other.hai) return;
    const { attempt, hai } = live;
    if (isOlder({ attempt, hai }, other)) live.close(4409, 'superseded');
    else this.came({ session: other.session, attempt, hai });
  }
}

/** Of equal attempts neither is the newer: any order will do that both nodes know. */
function isOlder(one: Omit<SessionPlace, 'session'>, other: Omit<SessionPlace, 'session'>): boolean {
  return one.attempt === other.attempt ? one.hai < other.hai : one.attempt < other.attempt;
}

function readWord(body: Uint8Array): JsonObject | undefined {
  try {
    const word: unknown = JSON.parse(decoder.decode(body));
    return isJsonObject(word) ? word : undefined;
  } catch {
    return undefined;
  }
}

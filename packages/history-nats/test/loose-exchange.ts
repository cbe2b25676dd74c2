import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import { Exchange } from '../src/exchange.ts';

const CONDITION = 'Nats-Expected-Last-Subject-Sequence';

/**
 * Looks at a message's condition when it is asked, not when it is stored, as the leader of a cluster does: of several that
 * are underway together all are stored.
 */
export class LooseExchange extends Exchange {
  readonly #last = new Map<string, number>();

  override async ask(subject: string, payload?: Uint8Array | string, headers?: MsgHdrs): Promise<Msg> {
    const last = String(this.#last.get(subject) ?? 0);
    if (headers?.get(CONDITION) === last) headers.delete(CONDITION);
    const answer = await super.ask(subject, payload, headers);
    if (subject.startsWith('$')) return answer;
    const { seq = 0 } = answer.json<{ seq?: number }>();
    this.#last.set(subject, Math.max(seq, this.#last.get(subject) ?? 0));
    return answer;
  }
}

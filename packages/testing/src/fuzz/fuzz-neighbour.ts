// Somebody else on a server that is fuzzed: says one thing after the other and counts what comes. Its conversation has
// no hole, nothing twice, and a receipt for each thing said, or the fuzz has reached it.

import type { Connection } from '@haip/protocol';
import { type RawPeer, rawPeer } from '../raw-peer.ts';
import { isInTime } from './in-time.ts';

export class FuzzNeighbour {
  readonly #peer: RawPeer;
  readonly #transaction: string;
  readonly #answerMs: number;
  #said = 0;
  #flaw: string | undefined;

  private constructor(peer: RawPeer, transaction: string, answerMs: number) {
    this.#peer = peer;
    this.#transaction = transaction;
    this.#answerMs = answerMs;
  }

  static async begin(connection: Connection, tool: string, auth: unknown, answerMs: number): Promise<FuzzNeighbour> {
    const peer = rawPeer(connection);
    await peer.hai({ auth });
    peer.send({ type: 'TRANSACTION_START', transaction: 'ref-neighbour', payload: { toolName: tool } });
    const { transaction } = await peer.until('TRANSACTION_START');
    return new FuzzNeighbour(peer, transaction ?? '', answerMs);
  }

  /** Says one more thing and waits for its receipt, unless it has waited in vain before. */
  async say(): Promise<void> {
    if (this.#flaw) return;
    const { id } = this.#peer.send({
      type: 'MESSAGE',
      transaction: this.#transaction,
      payload: `line ${++this.#said}`,
    });
    const receipt = this.#peer.until(({ type, related_id, payload }) => {
      return type === 'INFO' && related_id === id && payload.kind === 'receipt';
    });
    receipt.catch(({ message }: Error) => {
      this.#flaw ??= message;
    });
    if (!(await isInTime(receipt, this.#answerMs))) this.#flaw = `line ${this.#said} got no receipt`;
  }

  /** Hangs up. Gives what was wrong with the conversation; undefined when nothing was. */
  async end(): Promise<string | undefined> {
    await this.say();
    this.#peer.connection.close(1000);
    if (this.#flaw) return this.#flaw;
    const entries = this.#peer.received.filter(
      ({ transaction, seq }) => transaction === this.#transaction && seq !== '0',
    );
    let next = Number(entries[0]?.seq ?? 0);
    for (const { seq, from_seq } of entries) {
      if (Number(from_seq ?? seq) !== next) return `position ${from_seq ?? seq} came where ${next} was due`;
      next = Number(seq) + 1;
    }
    const errors = this.#peer.received.filter(({ type }) => type === 'ERROR');
    return errors.length > 0 ? `it was answered ${errors[0]?.payload.code}` : undefined;
  }
}

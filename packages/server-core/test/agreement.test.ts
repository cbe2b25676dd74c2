// Invariants 1, 7 and 9 as properties: whoever reads, whenever they came and however their link behaved, was sent
// positions without a hole and reduces to the same conversation, over a store that is at random immediate or late.

import { type Conversation, emptyConversation, fromBase64, reduceConversation, toBase64 } from '@haip/protocol';
import { fakeClock, type RawEnvelope } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lateHistory, testHistory } from './stores.ts';
import { answerTo, join, type LinkedPeer, see, settled, start, testServer } from './support.ts';
import { toolThat } from './tools.ts';

/** Answers each message by a stream, a reply or sound, as the message says. */
const talkative = toolThat(async (turn, text) => {
  if (text.startsWith('stream')) {
    const writer = await turn.stream({ author: 'Bot' });
    for (const piece of text.split('')) await writer.write(piece);
  } else if (text.startsWith('sound')) {
    await turn.replyAudio({ bytes: new Uint8Array([1, 2, 3]), mime: 'audio/ogg' });
  } else {
    await turn.reply(`re: ${text}`);
  }
});

/** What a peer makes of what it was sent since it joined, by the position rule; fails where a frame does not fit. */
function conversationOf(peer: LinkedPeer, transaction: string, sent: ReadonlyMap<string, RawEnvelope>): Conversation {
  let conversation = emptyConversation;
  let read = 0;
  for (const envelope of peer.received) {
    if (envelope.transaction !== transaction || envelope.seq === '0') continue;
    const [from, to] = [Number(envelope.from_seq ?? envelope.seq), Number(envelope.seq)];
    expect(from).toBe(read + 1);
    read = to;
    if (envelope.payload.kind === 'position') continue;
    const own = envelope.type === 'INFO' ? sent.get(envelope.related_id ?? '') : undefined;
    const entry = own ?? envelope;
    const data = entry.payload.data;
    conversation = reduceConversation(conversation, {
      ...entry,
      position: to,
      session: envelope.session,
      ts: Number(envelope.ts),
      bytes: entry.bytes ?? (typeof data === 'string' ? fromBase64(data) : undefined),
      mime: entry.bin_mime ?? entry.payload.mime,
    });
  }
  return conversation;
}

/** What two participants must agree on: all but the payload's form, which differs between raw bytes and base64. */
function told({ messages, runs, participants, ended }: Conversation): unknown {
  const shown = messages.map(({ payload: _payload, ...message }) => message);
  return { messages: shown, runs, participants: participants.toSorted(), ended };
}

const who = fc.nat(3);
const move = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('say' as const), who, text: fc.constantFrom('stream me', 'sound', 'hi') }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('speak' as const), who, text: fc.string({ maxLength: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sound' as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('come' as const), binary: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stall' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flow' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rest' as const) }) },
);
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

class Play {
  readonly clock = fakeClock();
  readonly peers: LinkedPeer[] = [];
  /** Everything anybody sent, by id: what a receipt stands for. */
  readonly sent = new Map<string, RawEnvelope>();
  readonly #server: ReturnType<typeof testServer>;
  transaction = '';
  #streams = 0;

  constructor(seed: number, isLate: boolean) {
    const history = isLate ? lateHistory(this.clock, seed) : testHistory(this.clock);
    this.#server = testServer({ clock: this.clock, history, tools: [talkative] });
  }

  /** Somebody new comes, on a link that fills up soon. */
  async come(binary: boolean): Promise<LinkedPeer> {
    const peer = this.#server.connect({ highWaterBytes: 400, binary });
    const { send } = peer;
    peer.send = (fields, bytes) => {
      const envelope = send(fields, bytes);
      this.sent.set(envelope.id, bytes === undefined ? envelope : { ...envelope, bytes });
      return envelope;
    };
    await peer.hai({ auth: { user: `user-${this.peers.length}` } });
    if (this.transaction === '') this.transaction = (await start(peer, 'tool')).id;
    else await join(peer, this.transaction);
    this.peers.push(peer);
    return peer;
  }

  async make(action: Move): Promise<void> {
    if (action.kind === 'come') return void (await this.come(action.binary));
    if (action.kind === 'rest') return this.clock.settle();
    const peer = this.peers[action.who % this.peers.length] as LinkedPeer;
    const { transaction } = this;
    if (action.kind === 'stall') peer.link.stall('down');
    else if (action.kind === 'flow') peer.link.resume('down');
    else if (action.kind === 'say') peer.send({ type: 'MESSAGE', transaction, payload: action.text });
    else this.#write(peer, action);
  }

  #write(peer: LinkedPeer, action: Move & { kind: 'speak' | 'sound' }): void {
    const { transaction } = this;
    const payload = { message_id: `m-${++this.#streams}` };
    if (action.kind === 'sound') {
      const data = toBase64(new Uint8Array([7]));
      peer.send({ type: 'AUDIO', transaction, payload: { ...payload, mime: 'audio/ogg', data } });
      return;
    }
    peer.send({ type: 'MESSAGE_START', transaction, payload });
    for (const text of action.text) peer.send({ type: 'MESSAGE_PART', transaction, payload: { ...payload, text } });
    peer.send({ type: 'MESSAGE_END', transaction, payload });
  }
}

async function play(seed: number, isLate: boolean, moves: readonly Move[]): Promise<void> {
  const game = new Play(seed, isLate);
  const first = await game.come(true);
  for (const action of moves) await game.make(action);
  for (const peer of game.peers) peer.link.resume('down');
  for (const peer of game.peers) await settled(peer, peer.send({ type: 'PING' }));
  const { transaction } = game;
  const end = await answerTo(first, first.send({ type: 'TRANSACTION_END', transaction }));
  await game.come(true);
  for (const peer of game.peers) await see(peer, ({ seq }) => seq === end.seq);
  const [shown, ...others] = game.peers.map((peer) => told(conversationOf(peer, transaction, game.sent)));
  for (const conversation of others) expect(conversation).toEqual(shown);
  for (const peer of game.peers) peer.link.cut();
  await game.clock.settle();
}

describe('whoever reads a transaction', () => {
  test.each([
    ['done at once', false],
    ['late by chance', true],
  ])(
    '[TEXT-6, LOG-1, READ-8] F46: over a store that is %s, reduces to the same conversation, without a hole',
    async (_, isLate) => {
      const property = fc.asyncProperty(fc.integer({ min: 1 }), fc.array(move, { maxLength: 25 }), (seed, moves) =>
        play(seed, isLate, moves),
      );
      await fc.assert(property, { numRuns: 80 });
    },
    60_000,
  );
});

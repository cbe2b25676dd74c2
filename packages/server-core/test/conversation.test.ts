import { describe, expect, test } from 'vitest';
import { entriesOf, seeEntry, start, testServer } from './support.ts';

describe('a conversation', () => {
  test('a text is stored, receipted with an ack in the same breath, and answered by the tool', async () => {
    const { enter } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    const sent = peer.send({ type: 'MESSAGE', transaction: id, payload: 'Hello' });

    const answer = await seeEntry(peer, { type: 'MESSAGE' });
    const [receipt] = peer.received.filter(({ related_id, type }) => related_id === sent.id && type === 'INFO');

    expect(receipt).toMatchObject({ related_id: sent.id, seq: '2', ack: sent.seq, payload: { kind: 'receipt' } });
    expect(answer).toMatchObject({ seq: '3', channel: 'AGENT', payload: 'Hello', related_id: sent.id });
    expect(entriesOf(peer).map(({ type }) => type)).toEqual(['MESSAGE']);
  });
});

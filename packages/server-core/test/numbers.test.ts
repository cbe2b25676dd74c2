import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import { answerTo, errorsOf, isReceipt, join, type LinkedPeer, settled, start, testServer, times } from './support.ts';

function lastAck(peer: LinkedPeer): string | undefined {
  return peer.received.findLast(({ ack }) => ack !== undefined)?.ack;
}

describe('the number of a message', () => {
  test('[ACK-3] that is too high is answered SEQ_VIOLATION with the expected one, and takes nothing', async () => {
    const { enter, clock } = testServer();
    const peer = await enter();
    const ahead = peer.send({ type: 'PING', seq: '4' });
    const error = await answerTo(peer, ahead);
    await clock.settle();

    expect(error.payload).toMatchObject({ code: 'SEQ_VIOLATION', retry: true, expected: '2' });
    expect(lastAck(peer)).toBe('1');
    await settled(peer, peer.send({ type: 'PING' }));
    expect(errorsOf(peer)).toEqual(['SEQ_VIOLATION']);
  });

  test('A10: that is the highest there is, is a SEQ_VIOLATION and wraps nothing [ACK-4]', async () => {
    const { enter } = testServer();
    const peer = await enter();
    const answer = await answerTo(peer, peer.send({ type: 'PING', seq: '18446744073709551615' }));

    expect(answer.payload).toMatchObject({ code: 'SEQ_VIOLATION', expected: '2' });
  });

  test('[ACK-2] that was taken already is ignored, and the last ack is repeated', async () => {
    const { enter, clock } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    const sent = peer.send({ type: 'MESSAGE', transaction: id, payload: 'once' });
    await peer.until('MESSAGE');
    const before = peer.received.length;
    peer.send({ ...sent, id: 'another' });
    const repeated = await peer.next();
    await clock.settle();

    expect(repeated).toMatchObject({ type: 'INFO', payload: { kind: 'ack' }, transaction: null, ack: sent.seq });
    expect(peer.received).toHaveLength(before + 1);
  });

  test('[ACK-2] taken already makes a misshapen repeat no second error', async () => {
    const { enter, clock } = testServer();
    const peer = await enter();
    const broken = '{"id":"x","session":"s","seq":"2","ts":"0","channel":"USER","type":"PING","payload":null}';
    void peer.sendText(broken);
    void peer.sendText(broken);
    await peer.until('ERROR');
    await clock.settle();

    expect([errorsOf(peer), lastAck(peer)]).toEqual([['PROTOCOL_VIOLATION'], '2']);
  });
});

describe('ack', () => {
  test('[ACK-5] stops below what is not stored yet, while later numbers are', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { enter } = testServer({ clock, history });
    const peer = await enter();
    const [slow, fast] = [await start(peer), await start(peer)];
    const release = history.hold(slow.id);
    const first = peer.send({ type: 'MESSAGE', transaction: slow.id, payload: 'slow' });
    const second = peer.send({ type: 'MESSAGE', transaction: fast.id, payload: 'fast' });
    const receipt = await answerTo(peer, second);
    await clock.settle();
    expect(receipt).toMatchObject({ seq: '2', payload: { kind: 'receipt' } });
    expect(Number(lastAck(peer))).toBe(Number(first.seq) - 1);
    release();
    await settled(peer, second);

    expect(lastAck(peer)).toBe(second.seq);
  });

  test('[ACK-6] rides on a receipt, and is on no entry', async () => {
    const { enter } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    const sent = times(5, (n) => peer.send({ type: 'MESSAGE', transaction: id, payload: `${n}` }));
    for (const _ of sent) await peer.until('MESSAGE');
    const receipts = peer.received.filter(isReceipt);

    expect(receipts.map(({ ack }) => ack)).toContain(sent.at(-1)?.seq);
    expect(peer.received.filter(({ type, ack }) => type === 'MESSAGE' && ack !== undefined)).toEqual([]);
  });

  test('[ACK-6] goes at once in an INFO of its own when nothing else carries it', async () => {
    const { enter } = testServer();
    const peer = await enter();
    const sent = peer.send({ type: 'PONG' });

    expect(await peer.until('INFO')).toMatchObject({ payload: { kind: 'ack' }, transaction: null, ack: sent.seq });
  });

  test('[ACK-5] covers a refused message only after its ERROR was sent', async () => {
    const { enter, clock } = testServer();
    const peer = await enter();
    const sent = peer.send({ type: 'MESSAGE', transaction: 'nowhere', payload: 'x' });
    await settled(peer, sent);
    await clock.settle();
    const error = peer.received.findIndex(({ related_id }) => related_id === sent.id);
    const ack = peer.received.findIndex((envelope) => envelope.ack === sent.seq);

    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(ack);
  });

  test('[ACK-7, LOG-3] neither receipt nor entry comes to anybody before the message is in the log', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { enter } = testServer({ clock, history });
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada);
    await join(eve, id);
    await clock.settle();
    const seen = [ada.received.length, eve.received.length];
    const release = history.hold(id);
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'not yet' });
    await clock.settle();
    expect([ada.received.length, eve.received.length]).toEqual(seen);
    release();

    expect(await answerTo(ada, sent)).toMatchObject({ seq: '3', payload: { kind: 'receipt' } });
    expect(await eve.until('MESSAGE')).toMatchObject({ id: sent.id, seq: '3', payload: 'not yet' });
  });
});

describe('signs of life', () => {
  test('[CLOSE-3] a PING is answered by a PONG with the same payload', async () => {
    const { enter } = testServer();
    const peer = await enter();
    const sent = peer.send({ type: 'PING', payload: { nonce: 'n' } });

    expect(await peer.until('PONG')).toMatchObject({ related_id: sent.id, payload: { nonce: 'n' }, ack: sent.seq });
  });

  test('[CLOSE-2] after 20 s of silence comes a PING, after 10 s more the end', async () => {
    const { enter, clock } = testServer();
    const [silent, alive] = [await enter(), await enter()];
    await clock.advance(19_999);
    expect(silent.received.filter(({ type }) => type === 'PING')).toEqual([]);
    await clock.advance(1);
    const ping = await alive.until('PING');
    alive.send({ type: 'PONG', related_id: ping.id });
    await silent.until('PING');
    await clock.advance(9_999);
    expect(silent.link.open).toBe(true);
    await clock.advance(1);

    expect(await silent.closed).toMatchObject({ code: 1001 });
    expect(alive.link.open).toBe(true);
  });

  test('F5: a half-open connection is given up within 50 s and leaves nothing behind', async () => {
    const { enter, clock, server } = testServer();
    const peer = await enter();
    await start(peer);
    peer.link.cut('client');
    await clock.advance(50_000);

    expect([server.connections, clock.pending]).toEqual([0, 0]);
  });
});

// Attacks over real sockets on a server in a process of its own: it lives, its memory stays within what is stated, and
// the conversation beside the attack is whole. Figures: docs/reliability.md.

import { deflateRawSync } from 'node:zlib';
import { rawPeer } from '@haip/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attackScene, inMiB, MiB, type Scene, tell } from './attack-scene.ts';
import { openConversation } from './raw-conversation.ts';
import { frame, frameHead, openRaw, openUpgraded, upgradeOfferingDeflate, upgradeRequest } from './raw-socket.ts';
import { wire } from './real-pair.ts';

/** One server takes all of them, one after the other. */
let scene: Scene;
beforeAll(async () => {
  scene = await attackScene(afterAll);
}, 30_000);

test('A27: 1,000 sockets that never say HAI are closed 4408 after 5 s and leave nothing', async () => {
  const { server, beside, expectWhole } = scene;
  const before = await server.ask({ what: 'memory' });
  const sockets = 1000;
  const { result: silent } = await beside(
    Promise.all(Array.from({ length: sockets }, () => openUpgraded(server.port))),
  );
  const during = await server.ask({ what: 'memory' });
  expect(during.connections).toBe(sockets + 1);
  const each = (during.used - before.used) / sockets;
  expect(each).toBeLessThan(32 * 1024);
  await server.ask({ what: 'advance', ms: 4_999 });
  expect((await server.ask({ what: 'count' })).connections).toBe(sockets + 1);
  await server.ask({ what: 'advance', ms: 1 });
  const { result: codes } = await beside(Promise.all(silent.map(({ closeCode }) => closeCode)));
  expect(new Set(codes)).toEqual(new Set([4408]));
  const after = await server.ask({ what: 'memory' });
  tell('never HAI', { kBEach: (each / 1024).toFixed(1), leftKB: ((after.used - before.used) / 1024).toFixed(0) });
  expect(after.connections).toBe(1);
  expect(after.used - before.used).toBeLessThan(4 * MiB);
  expectWhole();
}, 30_000);

test('A28: 5,000 connects in a row, given up at every stage, leave nothing behind', async () => {
  const { server, beside, expectWhole } = scene;
  const before = await server.ask({ what: 'memory' });
  const texts = ['', upgradeRequest.slice(0, 40), upgradeRequest, upgradeRequest, `${upgradeRequest}\x81\xfe`];
  let next = 0;
  const connects = async (): Promise<void> => {
    while (next < 5000) {
      const number = next++;
      const raw = await (number % 5 === 3 ? openUpgraded(server.port) : openRaw(server.port, texts[number % 5] ?? ''));
      if (number % 2 === 0) raw.socket.resetAndDestroy();
      else raw.socket.destroy();
      await raw.closeCode;
    }
  };
  const { lines, slowestMs } = await beside(Promise.all(Array.from({ length: 20 }, connects)));
  let after = await server.ask({ what: 'memory' });
  while (after.connections > 1) after = await server.ask({ what: 'memory' });
  tell('5,000 connects', { leftKB: ((after.used - before.used) / 1024).toFixed(0), lines, slowestMs });
  expect(after.transactions).toBe(before.transactions);
  expect(after.used - before.used).toBeLessThan(8 * MiB);
  expectWhole();
}, 30_000);

test('A4: a frame of 100 MiB is closed 1009 at its head, and nothing of it is kept', async () => {
  const { server, beside, expectWhole } = scene;
  const before = await server.ask({ what: 'memory' });
  const { socket, closeCode } = await openUpgraded(server.port);
  socket.write(frameHead(0x81, 100 * MiB));
  const piece = Buffer.alloc(MiB, 0x20);
  for (let sent = 0; sent < 100; sent++) socket.write(piece);
  const { result } = await beside(closeCode);
  const after = await server.ask({ what: 'memory' });
  tell('100 MiB frame', { peak: inMiB(after.peakRss - before.peakRss) });
  expect([1009, 0]).toContain(result);
  expect(after.ends[1009]).toBe(1);
  expect(after.peakRss - before.peakRss).toBeLessThan(32 * MiB);
  expectWhole();
});

test('A22: a compressed frame of 100 MiB of zeros is closed 1002: compression is not negotiated', async () => {
  const { server, beside, expectWhole } = scene;
  const before = await server.ask({ what: 'memory' });
  const { socket, closeCode } = await openUpgraded(server.port, upgradeOfferingDeflate);
  socket.write(frame(0xc1, deflateRawSync(Buffer.alloc(100 * MiB))));
  const { result } = await beside(closeCode);
  expect(result).toBe(1002);
  const after = await server.ask({ what: 'memory' });
  tell('compression bomb', { peak: inMiB(after.peakRss - before.peakRss) });
  expect(after.peakRss - before.peakRss).toBeLessThan(32 * MiB);
  expectWhole();
});

test('A23: a message in a million fragments is closed 1008 after the first 1,024', async () => {
  const { server, beside, expectWhole } = scene;
  const { socket, closeCode } = await openUpgraded(server.port);
  const fragments = Buffer.concat(Array.from({ length: 10_000 }, () => frame(0x00, 'x')));
  socket.write(frame(0x01, '{'));
  for (let sent = 0; sent < 100 && !socket.destroyed; sent++) socket.write(fragments);
  await beside(closeCode);
  while ((await beside(server.ask({ what: 'count' }))).result.ends[1008] === undefined);
  expectWhole();
});

/** What no envelope may say of the bytes behind it; and one that announces bytes which never come. */
const lies = ['1e15', '-1', '1.5', '"3"', '1048577', '1048576'];

/** So many connections one after the other, each with ten lies and an eleventh, which ends it. */
async function lieOnConnections(port: number, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const peer = rawPeer(await wire(port).dial({}, new AbortController().signal));
    await peer.hai({ auth: { user: `liar ${n}` } });
    for (let seq = 2; seq <= 13; seq++) {
      const binLen = lies[(n + seq) % lies.length];
      const fill = `${n} ${seq}`.padEnd(16_384, 'x');
      void peer.sendText(
        `{"id":"lie${seq}","transaction":"t${n}","session":"","seq":"${seq}","ts":"0","channel":"USER","type":"AUDIO","payload":{"fill":"${fill}"},"bin_len":${binLen}}`,
      );
    }
    expect(await peer.closed).toMatchObject({ code: 1008 });
  }
}

test('A19: what lies about its bytes leaves nothing behind, however often it comes', async () => {
  // A server of its own: what the other attacks left to be collected is no measure.
  const { server, beside, expectWhole } = await attackScene();
  const used = async (): Promise<number> => (await server.ask({ what: 'memory' })).used;
  await lieOnConnections(server.port, 50);
  const few = await used();
  await lieOnConnections(server.port, 200);
  const many = await used();
  tell('2,400 lies about bytes', { grownKB: ((many - few) / 1024).toFixed(0) });
  // Together they were 37 MiB.
  expect(many - few).toBeLessThan(MiB);
  expect((await server.ask({ what: 'count' })).connections).toBe(1);
  await beside(Promise.resolve());
  expectWhole();
});

test('A3: a payload 5,000 levels deep is a PROTOCOL_VIOLATION, and the connection lives', async () => {
  const { server, beside, expectWhole } = scene;
  const peer = rawPeer(await wire(server.port).dial({}, new AbortController().signal));
  await peer.hai({ auth: { user: 'deep' } });
  const deep = `{"id":"d1","transaction":null,"session":"","seq":"2","ts":"0","channel":"USER","type":"PING","payload":`;
  void peer.sendText(`${deep}${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`);
  const payload = { code: 'PROTOCOL_VIOLATION', retry: false };
  expect(await peer.until('ERROR')).toMatchObject({ payload, related_id: 'd1' });
  peer.send({ type: 'PING', seq: '3' });
  await beside(peer.until('PONG'));
  expectWhole();
});

test('A17: bytes that no envelope announced are a PROTOCOL_VIOLATION, and closed 1003', async () => {
  const { server, beside, expectWhole } = scene;
  const { socket, seen, closeOrAnswer } = await openConversation(server.port);
  socket.send(Uint8Array.of(1, 2, 3));
  expect((await beside(seen('ERROR'))).result).toMatchObject({ payload: { code: 'PROTOCOL_VIOLATION', retry: false } });
  expect((await beside(closeOrAnswer())).result).toBe(1003);
  while ((await server.ask({ what: 'count' })).ends[1003] === undefined);
  expectWhole();
});

test('A4: an envelope of 256 KiB is taken; one byte more is MESSAGE_TOO_LARGE, and closed 1009', async () => {
  const { server, beside, expectWhole } = scene;
  const limit = 256 * 1024;
  const { socket, seen, textOf, transaction, closeOrAnswer } = await openConversation(server.port);
  socket.send(textOf(limit, 'most', transaction));
  expect((await beside(seen('INFO', 'most'))).result).toMatchObject({ payload: { kind: 'receipt' } });
  socket.send(textOf(limit + 1, 'more', transaction));
  const expected = `at most ${limit} bytes`;
  const refused = { payload: { code: 'MESSAGE_TOO_LARGE', retry: false, expected } };
  const answer = Promise.any([seen('ERROR'), seen('INFO', 'more')]);
  expect((await beside(answer)).result).toMatchObject(refused);
  expect((await beside(closeOrAnswer())).result).toBe(1009);
  expectWhole();
});

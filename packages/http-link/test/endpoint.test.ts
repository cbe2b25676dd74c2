// The server's side alone, on exchanges made by hand and a clock that stands still.

import { type Accept, type Connection, type Frame, isJsonObject, type Unavailable } from '@haip/protocol';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Endpoint, type EndpointOptions } from '../src/endpoint.ts';
import { HandMade, hai, kind } from './hand-made.ts';

const frame: Frame = { text: '{}', shared: false };

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

async function open(options: EndpointOptions = {}, unavailable = (): Unavailable | undefined => undefined) {
  const accepted: Connection[] = [];
  const accept: Accept = Object.assign(async (connection: Connection) => void accepted.push(connection), {
    unavailable,
  });
  const endpoint = new Endpoint('/haip', kind, accept, options);
  const stream = new HandMade('GET', '/haip');
  await endpoint.take(stream);
  const address = /open (.*)\n/.exec(stream.text)?.[1] as string;
  const post = async (body = hai): Promise<HandMade> => {
    const exchange = new HandMade('POST', `/${address}`, body);
    await endpoint.take(exchange);
    return exchange;
  };
  return { endpoint, stream, post, connection: accepted[0] as Connection };
}

test('F12, F13: a stream says something at least every 15 s, and no timer is left when it ends', async () => {
  const { endpoint, stream, connection } = await open();
  for (let quiet = 0; quiet < 4; quiet++) {
    const before = stream.text.length;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(stream.text.length).toBeGreaterThan(before);
  }
  expect(stream.text).toMatch(/^open \S+\n\.+$/);
  connection.close(1000);
  stream.listener?.gone();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(endpoint.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('a stream on which something is said, or which is not taken, is not kept alive besides', async () => {
  const { stream, connection } = await open();
  for (let i = 0; i < 10; i++) {
    void connection.send(frame);
    await vi.advanceTimersByTimeAsync(7_500);
  }
  expect(stream.text).not.toContain('.');
  stream.takes = false;
  void connection.send(frame);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(stream.text).not.toContain('.');
});

test('a refused HAI is answered 401 for 30 s, then as an address that never was', async () => {
  const { connection, post, stream } = await open();
  const first = post();
  await vi.advanceTimersByTimeAsync(0);
  void connection.send(frame);
  connection.close(1008, 'refused');
  stream.listener?.gone();
  expect((await first).status).toBe(401);
  await vi.advanceTimersByTimeAsync(30_000);
  expect((await post()).status).toBe(401);
  await vi.advanceTimersByTimeAsync(15_000);
  expect((await post()).status).toBe(404);
  expect(vi.getTimerCount()).toBe(0);
});

test('a HAI waits for its verdict, and so does a copy of it', async () => {
  const { connection, post } = await open();
  const both = [post(), post()];
  await vi.advanceTimersByTimeAsync(4_000);
  void connection.send(frame);
  await vi.advanceTimersByTimeAsync(0);
  for (const { status, text } of await Promise.all(both)) expect([status, text]).toEqual([202, '{"taken":1}']);
});

test('a link that goes before the verdict leaves no POST without an answer', async () => {
  const { post, stream } = await open();
  const pending = post();
  await vi.advanceTimersByTimeAsync(0);
  stream.listener?.gone();
  expect((await pending).status).toBe(404);
});

test('a close that the peer does not take is cut after 3 s', async () => {
  const { stream, connection } = await open();
  connection.close(1000);
  expect([stream.hasEnded, stream.wasCut]).toEqual([true, false]);
  await vi.advanceTimersByTimeAsync(2_999);
  expect(stream.wasCut).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(stream.wasCut).toBe(true);
  expect(await connection.closed).toMatchObject({ code: 1000 });
});

test('who sends is asked to wait while the network is behind, and let go when it takes more', async () => {
  const { stream, connection } = await open();
  stream.takes = false;
  expect(connection.send({ text: 'x'.repeat(70_000), shared: false })).toBeInstanceOf(Promise);
  const waiting = connection.send(frame);
  let isLetGo = false;
  void waiting?.then(() => {
    isLetGo = true;
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(isLetGo).toBe(false);
  stream.takes = true;
  stream.listener?.drained();
  await waiting;
  expect(connection.send(frame)).toBeUndefined();
});

test('a listener that closed opens no more streams, and the POSTs of open ones are taken', async () => {
  const { endpoint, connection, post } = await open();
  endpoint.close();
  const late = new HandMade('GET', '/haip');
  await endpoint.take(late);
  expect(late.status).toBe(503);
  void connection.send(frame);
  await vi.advanceTimersByTimeAsync(0);
  expect((await post()).status).toBe(202);
});

test('F24: who takes nobody opens no stream, 503 and when to come again, and the POSTs of open ones are taken [CLOSE-10]', async () => {
  let away: Unavailable | undefined;
  const { endpoint, connection, post } = await open({}, () => away);
  void connection.send(frame);
  for (const [retryAfterMs, told] of [
    [1_001, '2'],
    [undefined, '1'],
  ] as const) {
    away = { reason: 'restarting', retryAfterMs };
    const late = new HandMade('GET', '/haip');
    await endpoint.take(late);
    expect([late.status, late.answered['retry-after']]).toEqual([503, told]);
  }
  expect((await post()).status).toBe(202);
  away = undefined;
  const again = new HandMade('GET', '/haip');
  await endpoint.take(again);
  expect(again.status).toBe(200);
});

test('a peer that does not count is not held to any order', async () => {
  const { connection, post } = await open();
  const clocked = hai.replace('"seq":"1"', '"seq":"1755187354681"');
  const first = post(clocked);
  await vi.advanceTimersByTimeAsync(0);
  void connection.send(frame);
  await vi.advanceTimersByTimeAsync(0);
  expect((await first).status).toBe(202);
  expect((await post(clocked.replace('HAI', 'PONG').replace('1755187354681', '9999999999999'))).status).toBe(202);
});

test('a number that goes before the HAI is too early', async () => {
  const { post } = await open();
  const early = await post(hai.replace('HAI', 'MESSAGE').replace('"seq":"1"', '"seq":"2"'));
  const said: unknown = JSON.parse(early.text);
  expect([early.status, isJsonObject(said) && said['expected']]).toEqual([409, '1']);
});

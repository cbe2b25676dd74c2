// Bad upgrade requests against a server in this process: an uncaught error would fail the run.

import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { acceptWebSockets } from '../src/server.ts';
import { dialRaw, listen, listening, requestText, type TestServer, upgradeLines } from './support.ts';

const path = '/haip/websocket';
const without = (name: string) => upgradeLines.filter((line) => !line.startsWith(name));
const many = (count: number) => Array.from({ length: count }, (_, index) => `a${index}: b`);

const refused: [what: string, request: string, status: number][] = [
  ['path //', requestText('//', upgradeLines), 404],
  ['another path', requestText('/other', upgradeLines), 404],
  ['the whole address as target', requestText(`http://localhost${path}`, upgradeLines), 404],
  ['a path that only begins right', requestText(`${path}/x`, upgradeLines), 404],
  ['an escape that is none', requestText('/%zz', upgradeLines), 404],
  ['no Host', requestText(path, without('Host')), 400],
  ['an empty Host', requestText(path, ['Host:', ...without('Host')]), 400],
  ['a Host with a space', requestText(path, ['Host: a b', ...without('Host')]), 400],
  ['a Host with a path', requestText(path, ['Host: a/b', ...without('Host')]), 400],
  ['no key', requestText(path, without('Sec-WebSocket-Key')), 400],
  ['a key too short', requestText(path, [...without('Sec-WebSocket-Key'), 'Sec-WebSocket-Key: abc']), 400],
  ['another version', requestText(path, [...without('Sec-WebSocket-Version'), 'Sec-WebSocket-Version: 7']), 400],
  ['another protocol', requestText(path, [...without('Upgrade'), 'Upgrade: h2c']), 400],
  ['a broken subprotocol', requestText(path, [...upgradeLines, 'Sec-WebSocket-Protocol: a,,b']), 400],
  ['POST', requestText(path, upgradeLines).replace('GET', 'POST'), 405],
  ['200 headers', requestText(path, [...upgradeLines, ...many(200)]), 431],
  ['2,000 headers', requestText(path, [...upgradeLines, ...many(2000)]), 431],
  ['a header of 17 kB', requestText(path, [...upgradeLines, `X-Long: ${'x'.repeat(17_000)}`]), 431],
  ['a header that is none', requestText(path, [...upgradeLines, 'no colon']), 400],
  ['no HTTP at all', 'hello\r\n\r\n', 400],
];

async function answerTo(server: TestServer, request: string): Promise<string> {
  const peer = dialRaw(server.port, request);
  await peer.ended;
  return peer.received.toString();
}

test.each(refused)('A24: an upgrade with %s is refused and the next one is served', async (_, request, status) => {
  const server = await listen();
  expect(await answerTo(server, request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  const next = dialRaw(server.port, requestText(path, upgradeLines));
  await server.accepted();
  await next.has('HTTP/1.1 101'.length);
  expect(next.received.toString()).toMatch(/^HTTP\/1\.1 101 /);
});

test('A24: a peer that resets its bad upgrade at once ends nothing', async () => {
  const server = await listen();
  for (let i = 0; i < 20; i++) {
    const peer = dialRaw(server.port, requestText('//', upgradeLines));
    await new Promise((resolve) => peer.socket.once('connect', resolve));
    peer.socket.resetAndDestroy();
    await peer.ended;
  }
  dialRaw(server.port, requestText(path, upgradeLines));
  await server.accepted();
});

test('other requests of the same server are answered by its own listener', async () => {
  const server = await listen();
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  expect(await response.text()).toBe('page');
});

test('A35: a request that asks for no WebSocket is answered 426, and for another path 404, where nobody else listens', async () => {
  const http = createServer();
  acceptWebSockets(http, async () => {}, { path });
  const port = await listening(http);
  const asked = await fetch(`http://127.0.0.1:${port}${path}?x`, { method: 'POST', body: 'x' });
  expect([asked.status, asked.headers.get('upgrade')]).toEqual([426, 'websocket']);
  expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404);
  http.on('request', (_, response) => void response.end('page'));
  expect(await (await fetch(`http://127.0.0.1:${port}${path}`)).text()).toBe('page');
});

test('F24: a server that takes nobody answers 503 before the upgrade, and says when to come again [CLOSE-10]', async () => {
  const http = createServer();
  const port = await listening(http);
  const away: { reason: string; retryAfterMs?: number }[] = [
    { reason: 'full' },
    { reason: 'restarting', retryAfterMs: 1_500 },
  ];
  let taken = 0;
  const accept = Object.assign(async () => void taken++, { unavailable: () => away.pop() });
  acceptWebSockets(http, accept, { path });
  const answer = async (): Promise<string> => {
    const peer = dialRaw(port, requestText(path, upgradeLines));
    await peer.has('HTTP/1.1 101'.length);
    return peer.received.toString();
  };
  expect(await answer()).toBe(
    'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  );
  expect(await answer()).toContain('Retry-After: 1\r\n');
  expect(taken).toBe(0);
  expect(await answer()).toMatch(/^HTTP\/1\.1 101 /);
  expect(taken).toBe(1);
});

test('a path of somebody else is left to the other upgrade listener', async () => {
  const server = await listen();
  server.http.on('upgrade', (request, socket: Duplex) => {
    if (request.url === '/other') socket.end('HTTP/1.1 418 Teapot\r\n\r\n');
  });
  expect(await answerTo(server, requestText('/other', upgradeLines))).toMatch(/^HTTP\/1\.1 418 /);
});

test('two paths live on one server, an unknown third is refused, and a path is given once', async () => {
  const http = createServer();
  const port = await listening(http);
  const seen: string[] = [];
  const mount = (at: string) => acceptWebSockets(http, async () => void seen.push(at), { path: at });
  const first = mount('/a');
  mount('/b');
  expect(() => mount('/a')).toThrow('/a');
  const answer = async (at: string) => {
    const peer = dialRaw(port, requestText(at, upgradeLines));
    await peer.has('HTTP/1.1 101'.length);
    return peer.received.toString().slice(9, 12);
  };
  expect([await answer('/a'), await answer('/b'), await answer('/c')]).toEqual(['101', '101', '404']);
  expect(seen).toEqual(['/a', '/b']);
  first.close();
  expect(await answer('/a')).toBe('404');
  mount('/a');
  expect(await answer('/a')).toBe('101');
});

test.each([
  [['Origin: https://app.example'], '101'],
  [['Origin: https://evil.example'], '403'],
  [[], '101'],
])('A49: with origins, an upgrade with %j is answered %s', async (lines, status) => {
  const server = await listen({ origins: ['https://app.example'] });
  const peer = dialRaw(server.port, requestText(path, [...upgradeLines, ...lines]));
  await peer.has('HTTP/1.1 101'.length);
  expect(peer.received.toString().slice(9, 12)).toBe(status);
});

test('A49: a list of pages under its old name is refused at the start, not passed over', () => {
  const options = { allowedOrigins: ['https://app.example'] } as object;
  expect(() => acceptWebSockets(createServer(), async () => {}, options)).toThrow('it is called origins now');
});

test('what is no accept is refused where it is given: it would end the process at the first connection', () => {
  for (const accept of [undefined, { accept: () => {} }])
    expect(() => acceptWebSockets(createServer(), accept as never)).toThrow('accept: expected a function');
});

test('A49: a text for origins, of which any part would be let in, is refused at the start', () => {
  const origins = 'https://app.example' as never;
  const accept = async (): Promise<void> => {};
  expect(() => acceptWebSockets(createServer(), accept, { origins })).toThrow('origins: expected a list');
});

test('A25: headers have 10 s, unless the server was given a time of its own', () => {
  const accept = async (): Promise<void> => {};
  const timeoutOf = (own?: number, headersTimeoutMs?: number): number => {
    const http = createServer(own === undefined ? {} : { headersTimeout: own });
    acceptWebSockets(http, accept, { headersTimeoutMs });
    return http.headersTimeout;
  };
  expect(timeoutOf()).toBe(10_000);
  expect(timeoutOf(25_000)).toBe(25_000);
  expect(timeoutOf(undefined, 5_000)).toBe(5_000);
  expect(timeoutOf(25_000, 5_000)).toBe(5_000);
});

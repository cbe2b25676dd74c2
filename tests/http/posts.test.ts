// What a POST upstream is answered, over both transports and both ways to serve them.

import { connect } from 'node:net';
import { defaultCodecLimits } from '@haip/protocol';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ways } from './served.ts';
import { type Holding, hold, line, ndjson, type OpenStream, openStream } from './streams.ts';

describe.each(ways)('$name', (way) => {
  async function setUp(options = {}): Promise<{ server: Holding; stream: OpenStream }> {
    const server = await hold(way, options);
    return { server, stream: await openStream(way, server) };
  }

  test('lines are taken in order, and the answer says how many [POST-1, SSE-2]', async () => {
    const { stream } = await setUp();
    const response = await stream.post([line(2), '', line(3), line(4), '']);
    expect([response.status, await response.json()]).toEqual([202, { taken: 3 }]);
    await expect.poll(() => stream.taken).toEqual(['m1', 'm2', 'm3', 'm4']);
  });

  test('one envelope may come as application/json, laid out as its sender likes', async () => {
    const { stream } = await setUp();
    const body = JSON.stringify(JSON.parse(line(2)), null, 2);
    const response = await stream.post([body], { headers: { 'content-type': 'application/json; charset=utf-8' } });
    expect([response.status, await response.json()]).toEqual([202, { taken: 1 }]);
    await expect.poll(() => stream.taken).toEqual(['m1', 'm2']);
  });

  test('A1, A2: a line that is none is answered 400 with how many came before it, and has its fault in its place', async () => {
    const { stream } = await setUp();
    const response = await stream.post([line(2), '{bad', line(3)]);
    expect([response.status, await response.json()]).toMatchObject([400, { taken: 1 }]);
    const notUtf8 = await stream.post([], { body: Buffer.from(line(3, { payload: 'ÿ' }), 'latin1') });
    expect([notUtf8.status, await notUtf8.json()]).toMatchObject([400, { taken: 0 }]);
    const marked = await stream.post([`\ufeff${line(3)}`]);
    expect(marked.status).toBe(400);
    await expect
      .poll(() => stream.taken)
      .toEqual(['m1', 'm2', 'PROTOCOL_VIOLATION', 'PROTOCOL_VIOLATION', 'PROTOCOL_VIOLATION']);
  });

  test('an envelope that announces raw bytes is a fault under its own number, as no bytes can follow', async () => {
    const { stream } = await setUp();
    const response = await stream.post([line(2, { bin_len: 3 }), line(3)]);
    expect([response.status, await response.json()]).toEqual([202, { taken: 2 }]);
    await expect.poll(() => stream.taken).toEqual(['m1', 'PROTOCOL_VIOLATION', 'm3']);
  });

  test('F10: the same POST twice at once is answered the same twice, and its numbers come in their order', async () => {
    const { stream } = await setUp();
    const both = await Promise.all([stream.post([line(2), line(3)]), stream.post([line(2), line(3)])]);
    expect(await Promise.all(both.map(async (it) => [it.status, await it.json()]))).toEqual([
      [202, { taken: 2 }],
      [202, { taken: 2 }],
    ]);
    // The core ignores a number that it has.
    await expect.poll(() => stream.taken).toEqual(['m1', 'm2', 'm3', 'm2', 'm3']);
  });

  test('F9: a POST that overtook another is refused with the number that comes next [POST-2]', async () => {
    const { stream } = await setUp();
    const early = await stream.post([line(3)]);
    expect([early.status, await early.json()]).toEqual([409, { expected: '2' }]);
    await stream.post([line(2)]);
    expect((await stream.post([line(3)])).status).toBe(202);
    expect(stream.taken).toEqual(['m1', 'm2', 'm3']);
  });

  test('F9: POSTs in any order, each sent until it is taken, arrive in the order of their numbers', async () => {
    const numbers = [2, 3, 4, 5];
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(numbers, { minLength: 4 }), async (order) => {
        const server = await hold(way);
        const stream = await openStream(way, server);
        const waiting = [...order];
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          if ((await stream.post([line(next)])).status === 409) waiting.push(next);
        }
        expect(stream.taken).toEqual(['m1', ...numbers.map((n) => `m${n}`)]);
        stream.connection.close(1000);
        await stream.whole;
      }),
      { numRuns: 10 },
    );
  });

  test('A44: an unknown address, a foreign one and that of a stream that has ended are answered alike [POST-3]', async () => {
    const { server, stream } = await setUp();
    const other = await openStream(way, server);
    other.connection.close(1000);
    await other.whole;
    const guesses = [`${server.url}/guess`, other.address, `${stream.address.slice(0, -1)}~`];
    const answers = await Promise.all(
      guesses.map(async (url) => {
        const response = await fetch(url, { method: 'POST', headers: ndjson, body: line(2) });
        return [response.status, await response.text()];
      }),
    );
    expect(answers.map(([status]) => status)).toEqual([404, 404, 404]);
    expect(new Set(answers.map(([, text]) => text)).size).toBe(1);
    expect(stream.taken).toEqual(['m1']);
  });

  test('A44: an address has 192 random bits [POST-5]', async () => {
    const { server, stream } = await setUp();
    const other = await openStream(way, server);
    const secrets = [stream, other].map(({ address }) => address.slice(address.lastIndexOf('/') + 1));
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{32}$/);
    expect(secrets[0]).not.toBe(secrets[1]);
  });

  test('A4: a POST over the limit is answered 413, by its announced length alone or as soon as it is longer', async () => {
    const { server, stream } = await setUp({ maxPostBytes: 1000 });
    const fits = line(2, { payload: '' }).length;
    const exact = line(2, { payload: 'x'.repeat(1000 - fits) });
    expect((await stream.post([exact])).status).toBe(202);
    const { pathname } = new URL(stream.address);
    const head = `POST ${pathname} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n`;
    expect(await answerTo(server.port, `${head}Content-Length: 1001\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 /);
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}\r\n`;
    expect(await answerTo(server.port, chunked)).toMatch(/^HTTP\/1.1 413 /);
  });

  test('A4: a line over the limit for text is answered 413, and has its fault', async () => {
    const maxTextBytes = line(2).length;
    const { stream } = await setUp({ limits: { ...defaultCodecLimits, maxTextBytes } });
    expect((await stream.post([line(2)])).status).toBe(202);
    const over = await stream.post([line(3, { payload: 'Hello!' })]);
    expect([over.status, await over.json()]).toMatchObject([413, { taken: 0 }]);
    await expect.poll(() => stream.taken).toEqual(['m1', 'm2', 'MESSAGE_TOO_LARGE']);
  });

  test('A26: a body that comes byte by byte is answered 408 when its time is over', async () => {
    const { server, stream } = await setUp({ postTimeoutMs: 50 });
    const { pathname } = new URL(stream.address);
    const head = `POST ${pathname} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n`;
    expect(await answerTo(server.port, `${head}Content-Length: 100\r\n\r\n{`)).toMatch(/^HTTP\/1.1 408 /);
    expect((await stream.post([line(2)])).status).toBe(202);
  });

  test('A34: a request that says its length in two ways is refused, and nothing of it is taken', async () => {
    const { server, stream } = await setUp();
    const { pathname } = new URL(stream.address);
    const both = `POST ${pathname} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST ${pathname} HTTP/1.1\r\n\r\n`;
    expect(await answerTo(server.port, both)).toMatch(/^HTTP\/1.1 400 /);
    expect(stream.taken).toEqual(['m1']);
  });

  test('A34: POSTs that follow one another on a connection unasked are taken one by one, each with its own answer', async () => {
    const { server, stream } = await setUp();
    const { pathname } = new URL(stream.address);
    const post = (text: string, connection: string) =>
      `POST ${pathname} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: ${connection}\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    const smuggled = `${line(3)}\n${post(line(4), 'close')}`;
    const answers = await answerTo(server.port, post(line(2), 'keep-alive') + post(smuggled, 'close'));
    expect(answers.match(/HTTP\/1\.1 \d+|"taken":\d/g)).toEqual([
      'HTTP/1.1 202',
      '"taken":1',
      'HTTP/1.1 400',
      '"taken":1',
    ]);
    await expect.poll(() => stream.taken).toEqual(['m1', 'm2', 'm3', 'PROTOCOL_VIOLATION']);
  });

  test('POSTs wait while the consumer does not read; one too many is answered 429, and when to come again', async () => {
    const server = await hold(way, { readAheadBytes: 1 });
    const stream = await openStream(way, server, { reads: false });
    const posted = Array.from({ length: 5 }, () => stream.post([line(2)]));
    const first = await Promise.race(posted);
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '1']);
    stream.read();
    const statuses = (await Promise.all(posted)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([202, 202, 202, 202, 429]);
  });

  test('an empty POST is a sign of life, answered by one on the stream [POST-4]', async () => {
    const { stream } = await setUp();
    const { heard } = stream.connection;
    const response = await stream.post([]);
    expect([response.status, await response.json()]).toEqual([202, { taken: 0 }]);
    expect(stream.connection.heard).toBeGreaterThan(heard);
    await stream.until(way.kind === 'sse' ? ':\n\n' : '\n\n');
  });

  test('a close line says goodbye, and what comes behind it is not taken [POST-4]', async () => {
    const { stream } = await setUp();
    await stream.post([line(2), '{"close":{"code":1000,"reason":"leaving"}}', line(3)]);
    expect(await stream.connection.closed).toMatchObject({ code: 1000, reason: 'leaving' });
    expect(stream.taken).toEqual(['m1', 'm2']);
    await stream.whole;
  });
});

/** Sends bytes and gives what came back before the server ended the connection. */
function answerTo(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  socket.write(request);
  return new Promise((resolve) => socket.on('close', () => resolve(text)));
}

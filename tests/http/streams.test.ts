// What a stream looks like on the wire, when it begins, what keeps it alive, and how it ends.

import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ways } from './served.ts';
import { haiReply, hold, line, ndjson, openStream, textOf } from './streams.ts';

const frame = (id: string) => ({ text: line(9, { id }), shared: false });
const error = { text: line(0, { type: 'ERROR', payload: { code: 'AUTHENTICATION_FAILED' } }), shared: false };

describe.each(ways)('$name', (way) => {
  const framed = (text: string): string => (way.kind === 'sse' ? `data: ${text}\n\n` : `${text}\n`);
  const closed = (json: string): string =>
    way.kind === 'sse' ? `event: close\ndata: ${json}\n\n` : `{"close":${json}}\n`;

  test('F12: a stream asks everybody on its way not to change, keep, hold back or compress it [STREAM-1]', async () => {
    const server = await hold(way);
    const { response, connection, whole } = await openStream(way, server);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': way.kind === 'sse' ? 'text/event-stream' : 'application/x-ndjson',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(response.headers.get('content-encoding')).toBeNull();
    connection.close(1000);
    await whole;
  });

  test('envelopes are lines as they were encoded, and the last thing is the close with code and delay [SSE-1, HTTP-1]', async () => {
    const server = await hold(way);
    const { connection, whole } = await openStream(way, server);
    void connection.send(frame('a'));
    connection.close(1012, 'restart', 1500.4);
    const text = await whole;
    const end = closed('{"code":1012,"reason":"restart","retry_after_ms":1500}');
    expect(text.endsWith(framed(haiReply.text) + framed(frame('a').text) + end)).toBe(true);
    if (way.kind === 'sse') expect(text).toMatch(/^event: open\ndata: \{"upstream":"sse\/[\w-]{32}"\}\n\n/);
  });

  test('A63, A64: a frame that has line breaks in it still is one line', async () => {
    const server = await hold(way);
    const { connection, whole } = await openStream(way, server);
    const laidOut = JSON.stringify(JSON.parse(line(9)), null, 2).replaceAll('\n', '\r\n');
    void connection.send({ text: laidOut, shared: false });
    connection.close(1000);
    const lines = (await whole).split('\n');
    expect(lines).toContainEqual(framed(laidOut.replace(/[\r\n]/g, ' ')).split('\n')[0]);
  });

  test('what is sent in one turn leaves in one write', async () => {
    const server = await hold(way);
    const { connection, address } = await openStream(way, server);
    connection.close(1000);
    const socket = connect(server.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const body = line(1);
    const type = 'Content-Type: application/json';
    const post = `POST ${way.path} HTTP/1.1\r\nHost: localhost\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(way.kind === 'sse' ? `GET ${way.path} HTTP/1.1\r\nHost: localhost\r\n\r\n` : post);
    const held = await server.accepted();
    let text = '';
    const all = new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        text += chunk;
        if (text.includes('"id":"c"')) resolve();
      });
    });
    for (const id of ['a', 'b']) void held.connection.send(frame(id));
    await Promise.resolve();
    void held.connection.send(frame('c'));
    await all;
    const together = ['a', 'b', 'c'].map((id) => framed(frame(id).text)).join('');
    expect(text).toContain(`\r\n${together.length.toString(16)}\r\n${together}\r\n`);
    expect(address).not.toBe('none');
  });

  test('F13: a stream on which nothing is said says something now and then', async () => {
    const server = await hold(way, { keepAliveMs: 20 });
    const { until } = await openStream(way, server);
    await until(way.kind === 'sse' ? ':\n\n:\n\n' : '\n\n\n');
  });

  test('a page or a program that leaves is a link that was cut', async () => {
    const server = await hold(way);
    const leaving = new AbortController();
    const { signal } = leaving;
    const init = way.kind === 'sse' ? { signal } : { signal, method: 'POST', headers: ndjson, body: line(1) };
    const asked = fetch(server.url, init).catch(() => {});
    const { connection } = await server.accepted();
    leaving.abort();
    await asked;
    expect((await connection.closed).code).toBe(1006);
    expect(server.open).toBe(0);
  });

  test('the authenticator is told the transport, the headers and the address', async () => {
    const server = await hold(way);
    const headers = { 'x-trace': '7' };
    const init =
      way.kind === 'sse' ? { headers } : { method: 'POST', headers: { ...ndjson, ...headers }, body: line(1) };
    const asked = fetch(server.url, init);
    const { info, connection } = await server.accepted();
    expect(info).toMatchObject({ transport: way.kind, headers });
    if (way.name.endsWith('Node')) expect(info.remoteAddress).toContain('127.0.0.1');
    void connection.send(haiReply);
    await (await asked).body?.cancel();
  });
});

describe.each(ways.filter(({ kind }) => kind === 'http'))('$name', (way) => {
  const ask = (url: string, body = line(1)) => fetch(url, { method: 'POST', headers: ndjson, body });

  test('nothing is answered before the verdict, and a refusal is a 401 whose body says why [HTTP-1, HTTP-3]', async () => {
    const server = await hold(way);
    const asked = ask(server.url);
    let isAnswered = false;
    void asked.then(() => {
      isAnswered = true;
    });
    const { connection } = await server.accepted();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(isAnswered).toBe(false);
    void connection.send(error);
    connection.close(1008, 'AUTHENTICATION_FAILED');
    const response = await asked;
    expect(response.status).toBe(401);
    expect(response.headers.get('haip-upstream')).toBeNull();
    expect(response.headers.get('www-authenticate')).toBe('HAIP');
    expect(await response.text()).toBe(`${error.text}\n{"close":{"code":1008,"reason":"AUTHENTICATION_FAILED"}}\n`);
  });

  test.each([
    [1013, 503],
    [4429, 429],
    [4409, 409],
    [1011, 500],
    [1002, 400],
    [1009, 413],
  ] as const)(
    'a connection closed %i instead of a reply is answered %i, and when to come again',
    async (code, status) => {
      const server = await hold(way);
      const asked = ask(server.url);
      (await server.accepted()).connection.close(code, '', 1500);
      const response = await asked;
      expect([response.status, response.headers.get('retry-after')]).toEqual([status, '2']);
    },
  );

  test.each(['', '{bad', '[]', '{"close":{"code":1000}}'])(
    'A1: a first body of %j opens nothing and is answered 400',
    async (body) => {
      const server = await hold(way);
      expect((await ask(server.url, body)).status).toBe(400);
      expect(server.open).toBe(0);
    },
  );

  test('what is pipelined behind the HAI comes behind it', async () => {
    const server = await hold(way);
    const asked = ask(server.url, `${line(1)}\n${line(2)}`);
    const { connection } = await server.accepted();
    const { value } = await connection[Symbol.asyncIterator]().next();
    expect(value).toMatchObject([{ envelope: { id: 'm1' } }, { envelope: { id: 'm2' } }]);
    void connection.send(haiReply);
    await (await asked).body?.cancel();
  });
});

describe.each(ways.filter(({ kind }) => kind === 'sse'))('$name', (way) => {
  test('a refused HAI answers its POST with 401, closes the stream, and the same HAI again is answered 401 too [SSE-4]', async () => {
    const server = await hold(way);
    const { until, whole } = textOf(await fetch(server.url));
    const [, relative = ''] = /"upstream":"([^"]+)"/.exec(await until('upstream')) ?? [];
    const post = () => fetch(new URL(relative, server.url), { method: 'POST', headers: ndjson, body: line(1) });
    const { connection } = await server.accepted();
    const pending = [post(), post()];
    await connection[Symbol.asyncIterator]().next();
    void connection.send(error);
    connection.close(1008, 'AUTHENTICATION_FAILED');
    const text = await whole;
    expect(
      text.endsWith(`data: ${error.text}\n\nevent: close\ndata: {"code":1008,"reason":"AUTHENTICATION_FAILED"}\n\n`),
    ).toBe(true);
    const statuses = (await Promise.all(pending)).map(({ status }) => status);
    expect(statuses[0]).toBe(401);
    expect([401, 404]).toContain(statuses[1]);
    expect((await post()).status).toBe(401);
  });

  test('a stream whose HAI does not come can be closed by the server', async () => {
    const server = await hold(way);
    const { whole } = textOf(await fetch(server.url));
    (await server.accepted()).connection.close(4408, 'no HAI in time');
    expect(await whole).toMatch(/event: close\ndata: \{"code":4408,"reason":"no HAI in time"\}\n\n$/);
  });
});

describe.each(ways.filter(({ name }) => name.endsWith('Node')))('$name', (way) => {
  test('other requests go where they went before, also to a listener that comes later', async () => {
    const http = createServer((request, response) => void response.end(`page ${request.url}`));
    const server = await hold(way, {}, http);
    http.removeAllListeners('request');
    expect((await fetch(`${server.origin}/page`)).status).toBe(404);
    http.on('request', (request, response) => void response.end(`later ${request.url}`));
    expect(await (await fetch(`${server.origin}/page`)).text()).toBe('later /page');
    expect(await (await fetch(`${server.url}x`)).text()).toBe(`later ${way.path}x`);
    await openStream(way, server);
  });

  test('a path is given once', async () => {
    const http = createServer();
    way.mount(http, async () => {});
    expect(() => way.mount(http, async () => {})).toThrow(way.path);
  });

  test('A25: request headers that come byte by byte are cut off, and others are served', async () => {
    const http = createServer({ headersTimeout: 100, connectionsCheckingInterval: 20 });
    const server = await hold(way, {}, http);
    expect(http.headersTimeout).toBe(100);
    const slow = Array.from({ length: 50 }, () => {
      const socket = connect(server.port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => {});
      socket.write('G');
      const dribble = setInterval(() => socket.write('E'), 10);
      return new Promise<void>((resolve) => {
        socket.on('close', () => {
          clearInterval(dribble);
          resolve();
        });
      });
    });
    await openStream(way, server);
    await Promise.all(slow);
    const [usual, told] = [createServer(), createServer()];
    way.mount(usual, async () => {});
    expect(usual.headersTimeout).toBe(10_000);
    way.mount(told, async () => {}, { headersTimeoutMs: 70_000 });
    expect(told.headersTimeout).toBe(70_000);
  });
});

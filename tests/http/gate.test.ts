// Who may come in, and what is refused before anything is read.

import { createServer, type OutgoingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Way, ways } from './served.ts';
import { type Holding, haiReply, hold, line, openStream } from './streams.ts';

const onNode = ways.filter(({ name }) => name.endsWith('on Node'));
const app = 'https://app.example';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
}

/** Any request at all: `fetch` chooses some headers itself. Gives the head of the answer. */
function ask(url: string, method: string, headers: OutgoingHttpHeaders = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
      response.destroy();
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Asks for a stream as a client of this transport does. The test need not grant it. */
async function askForStream(way: Way, server: Holding, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  if (way.kind === 'sse') return ask(server.url, 'GET', headers);
  void server.accepted().then(({ connection }) => connection.close(1008));
  return ask(server.url, 'POST', { 'content-type': 'application/x-ndjson', ...headers }, line(1));
}

const granted = (way: Way): number => (way.kind === 'sse' ? 200 : 401);

describe.each(ways)('$name', (way) => {
  test('what is no accept is refused where it is given: it would end the process at the first connection', () => {
    for (const accept of [undefined, { accept: () => {} }])
      expect(() => way.mount(createServer(), accept as never)).toThrow('accept: expected a function');
  });

  test.each(['origins', 'hosts'])(
    'A49: a text for %s, of which any part would be let in, is refused at the start',
    (name) => {
      const options = { [name]: 'https://app.example' as never };
      expect(() => way.mount(createServer(), async () => {}, options)).toThrow(
        `${name}: expected a list, got a string`,
      );
    },
  );

  test.each([
    ['a listed page', 'in', { origin: app }, app, 'true'],
    ['its own page', 'in', { origin: 'http://HOST' }, undefined, undefined],
    [
      'its own page behind a proxy',
      'in',
      { origin: 'https://own', 'sec-fetch-site': 'same-origin' },
      undefined,
      undefined,
    ],
    ['no page', 'in', {}, undefined, undefined],
    ['another page', 'out', { origin: 'https://evil.example' }, undefined, undefined],
    ['a page that begins like a listed one', 'out', { origin: `${app}.evil.example` }, undefined, undefined],
    ['a page without an origin', 'out', { origin: 'null' }, undefined, undefined],
  ])('A50: %s is let %s, and only a listed one is named in the answer', async (_, outcome, headers, named, cookies) => {
    const server = await hold(way, { origins: [app] });
    const own = JSON.parse(JSON.stringify(headers).replace('HOST', new URL(server.url).host));
    const answer = await askForStream(way, server, own);
    expect(answer.status).toBe(outcome === 'in' ? granted(way) : 403);
    expect(answer.headers['access-control-allow-origin']).toBe(named);
    expect(answer.headers['access-control-allow-credentials']).toBe(cookies);
    if (outcome === 'in') expect(answer.headers['vary']).toBe('Origin');
  });

  test('A50: a list of every page allows no cookies', async () => {
    const server = await hold(way, { origins: ['*', app] });
    const anyone = await askForStream(way, server, { origin: 'https://any.example' });
    expect(anyone.headers['access-control-allow-origin']).toBe('*');
    expect(anyone.headers['access-control-allow-credentials']).toBeUndefined();
    const listed = await askForStream(way, server, { origin: app });
    expect(listed.headers['access-control-allow-origin']).toBe(app);
  });

  test('A50: without a list only its own page comes in', async () => {
    const server = await hold(way);
    expect((await askForStream(way, server, { origin: app })).status).toBe(403);
  });

  test('A50: a browser that asks first is told what a listed page may send, and nothing it sent comes back', async () => {
    const server = await hold(way, { origins: [app] });
    const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-evil' };
    const told = await ask(server.url, 'OPTIONS', { origin: app, ...asks });
    expect(told).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': app,
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'Content-Type, Authorization',
      },
    });
    expect(JSON.stringify(told.headers)).not.toContain('evil');
    expect((await ask(server.url, 'OPTIONS', { origin: 'https://evil.example', ...asks })).status).toBe(403);
  });

  test('A51: a POST as a form can send it is answered 415, and nothing of it is taken', async () => {
    const server = await hold(way);
    const stream = await openStream(way, server);
    const forms = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain', undefined];
    const statuses = [];
    for (const type of forms) {
      statuses.push((await ask(stream.address, 'POST', type ? { 'content-type': type } : {}, line(2))).status);
    }
    expect(statuses).toEqual([415, 415, 415, 415]);
    expect(stream.taken).toEqual(['m1']);
  });

  test('A35: a method, a type or a coding that does not fit is answered 405 or 415', async () => {
    const server = await hold(way);
    const stream = await openStream(way, server);
    const wrong = way.kind === 'sse' ? 'POST' : 'GET';
    const json = { 'content-type': 'application/json' };
    const answers = [
      ...(await Promise.all([wrong, 'PUT', 'DELETE', 'PATCH', 'HEAD'].map((method) => ask(server.url, method)))),
      await ask(stream.address, 'GET'),
      await ask(stream.address, 'POST', { ...json, 'content-encoding': 'gzip' }, 'x'),
      await ask(stream.address, 'POST', { 'content-type': 'application/jsonp' }, '{}'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([405, 405, 405, 405, 405, 405, 415, 415]);
    expect(answers[0]?.headers['allow']).toBe(way.kind === 'sse' ? 'GET, OPTIONS' : 'POST, OPTIONS');
  });

  test.each(['', 'a b', 'a/b', 'evil\u0001'])('A52: a Host of %j is answered 400', async (host) => {
    const server = await hold(way);
    const status = await statusOf(server.port, `GET ${way.path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(status).toBe('400');
  });

  test('A65: a line break in a header or an address comes back in none', async () => {
    const server = await hold(way, { origins: [app] });
    const text = `GET ${way.path}/%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: localhost\r\nOrigin: ${app}\rSet-Cookie: y\r\n\r\n`;
    expect(await statusOf(server.port, text)).toBe('400');
    const answer = await ask(`${server.url}/%0d%0aSet-Cookie:x`, 'POST', { 'content-type': 'application/json' }, '{}');
    expect(answer.status).toBe(404);
    expect(JSON.stringify(answer.headers)).not.toMatch(/cookie/i);
  });
});

describe.each(onNode)('$name', (way) => {
  test('A35: TRACE is answered 405, CONNECT is not, and HTTP/1.0, which some proxies speak, is served', async () => {
    const server = await hold(way);
    expect((await ask(server.url, 'TRACE')).status).toBe(405);
    await expect(statusOf(server.port, 'CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n')).rejects.toThrow('nothing');
    if (way.kind === 'http') void server.accepted().then(({ connection }) => connection.send(haiReply));
    const body = line(1);
    const head = `HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    const old =
      way.kind === 'sse'
        ? `GET ${way.path} HTTP/1.0\r\nHost: localhost\r\n\r\n`
        : `POST ${way.path} ${head}\r\n\r\n${body}`;
    expect(await statusOf(server.port, old)).toBe('200');
  });

  test.each([
    ['localhost', 'in'],
    ['127.0.0.1:PORT', 'in'],
    ['127.8.8.8', 'in'],
    ['app.localhost:8080', 'in'],
    ['[::1]:8080', 'in'],
    ['evil.example', 'out'],
    ['evil.example:8080', 'out'],
    ['localhost.evil.example', 'out'],
    ['127.0.0.1.evil.example', 'out'],
  ])('A52: a server of this machine is asked for as %s: %s', async (host, outcome) => {
    const server = await hold(way);
    const answer = await askForStream(way, server, { host: host.replace('PORT', String(server.port)) });
    expect(answer.status).toBe(outcome === 'in' ? granted(way) : 421);
  });

  test('A52: names that are listed are served too, and `*` is all of them', async () => {
    const behindProxy = await hold(way, { hosts: ['app.example'] });
    expect((await askForStream(way, behindProxy, { host: 'App.example' })).status).toBe(granted(way));
    expect((await askForStream(way, behindProxy, { host: 'evil.example' })).status).toBe(421);
    const open = await hold(way, { hosts: ['*'] });
    expect((await askForStream(way, open, { host: 'any.example' })).status).toBe(granted(way));
  });
});

describe.each(ways.filter(({ name }) => name.endsWith('handler')))('$name', (way) => {
  test('A52: a handler is not told where it listens, so it serves the names that are listed, or any', async () => {
    const any = await hold(way);
    expect((await askForStream(way, any, { host: 'any.example' })).status).toBe(granted(way));
    const listed = await hold(way, { hosts: ['app.example'] });
    expect((await askForStream(way, listed, { host: 'app.example' })).status).toBe(granted(way));
    expect((await askForStream(way, listed, { host: 'evil.example' })).status).toBe(421);
  });
});

/** The status that a request made by hand is answered. */
function statusOf(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(text);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('nothing was answered')));
    socket.once('data', (chunk) => resolve(String(chunk).slice(9, 12)));
  });
}

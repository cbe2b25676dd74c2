// Our clients against servers that are split, lossy, slow or wrong.

import { createServer } from 'node:http';
import { type Connection, defaultCodecLimits, type Envelope, encode, Fault, type Incoming } from '@haip/protocol';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { listening, ways } from './served.ts';
import { haiReply, hold, line } from './streams.ts';

const kinds = ways.filter(({ name }) => name.endsWith('Node'));
const never = new AbortController().signal;

const envelope = (payload: Envelope['payload'], id = 'm'): Envelope => ({
  ...JSON.parse(line(1)),
  id,
  type: 'MESSAGE',
  payload,
});

/** Answers the request for a stream with these bytes, cut where it is told. */
function streamOf(kind: string, bytes: Uint8Array, cuts: readonly number[]): typeof fetch {
  return async () => {
    const edges = [0, ...new Set(cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b)), bytes.length];
    const chunks = edges.slice(1).map((edge, i) => bytes.slice(edges[i], edge));
    const body = new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    });
    const headers = {
      'content-type': kind === 'sse' ? 'text/event-stream' : 'application/x-ndjson',
      'haip-upstream': 'x',
    };
    return new Response(body, { headers });
  };
}

async function all(connection: Connection): Promise<Incoming[]> {
  const items: Incoming[] = [];
  for await (const batch of connection) items.push(...batch);
  return items;
}

describe.each(kinds)('the client of $name', (way) => {
  /** What a dial that finds no stream says. */
  const whyNone = (origin: string): Promise<string> =>
    way
      .dialer(origin)
      .dial({}, never)
      .then((client) => {
        void client.send(haiReply);
        return client.closed;
      })
      .then(
        ({ reason }) => reason,
        (error: Error) => error.message,
      );
  const isSse = way.kind === 'sse';
  const written = (texts: readonly string[], lineEnd = '\n'): Uint8Array => {
    const framed = texts.map((text) => (isSse ? `: noise\nid: 7\ndata: ${text}\n\n` : `${text}\n\n`)).join('');
    const open = isSse ? 'event: open\ndata: {"upstream":"sse/x"}\n\n' : '';
    const close = isSse ? 'event: close\ndata: {"code":1012}\n\n' : '{"close":{"code":1012}}\n';
    return new TextEncoder().encode((open + framed + close).replaceAll('\n', lineEnd));
  };

  test('F8: whatever pieces the bytes come in, and however lines end, the messages are the same', async () => {
    const ends = isSse ? ['\n', '\r\n', '\r'] : ['\n', '\r\n'];
    const payload = fc.string({ unit: 'grapheme', maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(payload, { maxLength: 6 }),
        fc.array(fc.nat({ max: 3000 }), { maxLength: 60 }),
        fc.constantFrom(...ends),
        async (payloads, cuts, lineEnd) => {
          const texts = payloads.map((each) => encode(envelope(each)));
          const fetcher = streamOf(way.kind, written(texts, lineEnd), cuts);
          const connection = await way.dialer('http://server', fetcher).dial({}, never);
          if (!isSse) void connection.send(haiReply);
          const items = await all(connection);
          expect(items.map((item) => !(item instanceof Fault) && item.envelope.payload)).toEqual(payloads);
          expect((await connection.closed).code).toBe(1012);
        },
      ),
    );
  });

  test('F8: bytes that come one by one are the same messages', async () => {
    const texts = ['Zoë, 東京, 👩‍👩‍👧', '\u2028 data: x\n\n'].map((text) => encode(envelope(text)));
    const bytes = written(texts);
    const everywhere = Array.from({ length: bytes.length }, (_, i) => i);
    const connection = await way.dialer('http://server', streamOf(way.kind, bytes, everywhere)).dial({}, never);
    if (!isSse) void connection.send(haiReply);
    const items = await all(connection);
    expect(items.map((item) => !(item instanceof Fault) && encode(item.envelope))).toEqual(texts);
  });

  test('A63, A64: any string goes up and comes back unchanged', async () => {
    const server = await hold(way);
    const client = await way.dialer(server.origin).dial({}, never);
    void client.send(haiReply);
    const { connection } = await server.accepted();
    void connection.send(haiReply);
    void (async () => {
      for await (const batch of connection) {
        for (const item of batch)
          if (!(item instanceof Fault)) void connection.send({ text: encode(item.envelope), shared: false });
      }
    })();
    const back = client[Symbol.asyncIterator]();
    let waiting: Incoming[] = [];
    const next = async (): Promise<Incoming | undefined> => {
      while (waiting.length === 0) waiting = [...((await back.next()).value ?? [])];
      return waiting.shift();
    };
    await next();
    await next();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const sent = encode(envelope(text));
        void client.send({ text: sent, shared: false });
        const item = await next();
        expect(item instanceof Fault ? item : item?.envelope).toEqual(JSON.parse(sent));
      }),
      { numRuns: 60 },
    );
    client.close(1000);
  });

  test('F11: a POST that was taken and whose answer was lost goes again with the same numbers', async () => {
    const server = await hold(way);
    const posted: string[] = [];
    const lossy: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (init?.method !== 'POST' || String(url).includes('?')) return response;
      posted.push(String(init.body));
      // Every other answer, however good, is lost or comes from a gateway that gave up.
      if (posted.length % 4 === 1) throw new TypeError('cut');
      return posted.length % 4 === 3 ? new Response('', { status: 502 }) : response;
    };
    const client = await way.dialer(server.origin, lossy).dial({}, never);
    const texts = [1, 2, 3].map((seq) => line(seq));
    for (const [i, text] of texts.entries()) {
      void client.send({ text, shared: false });
      if (i === 0) {
        const { connection } = await server.accepted();
        void connection.send(haiReply);
        void all(connection);
      }
      await vi.waitUntil(() => posted.filter((body) => body === text).length === (isSse || i > 0 ? 2 : 0), 5000);
    }
    client.close(1000);
    await client.closed;
  });

  test('what gathers while a POST is out goes in one', async () => {
    const server = await hold(way);
    const posted: string[] = [];
    const seen: typeof fetch = (url, init) => {
      if (init?.method === 'POST') posted.push(String(init.body));
      return fetch(url, init);
    };
    const client = await way.dialer(server.origin, seen).dial({}, never);
    const texts = [1, 2, 3, 4].map((seq) => line(seq));
    void client.send({ text: texts[0] as string, shared: false });
    const { connection } = await server.accepted();
    for (const text of texts.slice(1)) {
      await new Promise((resolve) => setImmediate(resolve));
      void client.send({ text, shared: false });
    }
    void connection.send(haiReply);
    await vi.waitUntil(() => posted.length === 2);
    expect(posted).toEqual([texts[0], texts.slice(1).join('\n')]);
    client.close(1000);
    await client.closed;
  });

  test.each([
    [401, 1008],
    [404, 1006],
    [413, 1009],
    [415, 1002],
  ])('a POST that is answered %i ends the connection as %i', async (status, code) => {
    const server = await hold(way);
    const refusing: typeof fetch = (url, init) =>
      init?.method === 'POST' && !String(url).includes('?')
        ? Promise.resolve(new Response('', { status }))
        : fetch(url, init);
    const client = await way.dialer(server.origin, refusing).dial({}, never);
    void client.send({ text: line(1), shared: false });
    const { connection } = await server.accepted();
    void connection.send(haiReply);
    void client.send({ text: line(2), shared: false });
    expect((await client.closed).code).toBe(code);
    expect((await connection.closed).code).toBe(1006);
  });

  test('F11: a POST that nobody answers is given up after 20 s and goes again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const posted: string[] = [];
    let endStream = (): void => {};
    const stalling: typeof fetch = async (url, init) => {
      if (String(url).includes('?')) {
        const body = new ReadableStream({
          start(controller) {
            if (isSse) controller.enqueue(new TextEncoder().encode('event: open\ndata: {"upstream":"sse/x"}\n\n'));
            endStream = () => controller.close();
          },
        });
        const type = isSse ? 'text/event-stream' : 'application/x-ndjson';
        return new Response(body, { headers: { 'content-type': type, 'haip-upstream': 'x' } });
      }
      posted.push(String(init?.body));
      return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('given up'))));
    };
    const client = await way.dialer('http://server', stalling).dial({}, never);
    void client.send({ text: line(1), shared: false });
    if (!isSse) {
      await new Promise((resolve) => setImmediate(resolve));
      void client.send({ text: line(2), shared: false });
    }
    await vi.advanceTimersByTimeAsync(19_999);
    expect(posted).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(101);
    expect(posted).toEqual([posted[0], posted[0]]);
    endStream();
    await client.closed;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([posted.length, vi.getTimerCount()]).toEqual([2, 0]);
  });

  test('a server that asks to be left alone ends the connection with its delay', async () => {
    const http = createServer((_, response) => void response.writeHead(503, { 'retry-after': '7' }).end());
    const server = await listening(http);
    onTestFinished(server.close);
    const client = await way.dialer(server.origin).dial({}, never);
    void client.send(haiReply);
    expect(await client.closed).toMatchObject({ code: 1013, retryAfterMs: 7000 });
  });

  test('a server that is none is told by its address, without the query', async () => {
    const http = createServer((_, response) => void response.end('a page'));
    const server = await listening(http);
    onTestFinished(server.close);
    expect(await whyNone(server.origin)).toBe(`no stream at ${server.origin}${way.path}: 200`);
  });

  test('a port where nobody listens is told, and that nobody does', async () => {
    const { origin, close } = await listening(createServer());
    await close();
    expect(await whyNone(origin)).toBe(`no stream at ${origin}${way.path}: ECONNREFUSED`);
  });

  test('a stream that ends without a close is a cut [STREAM-2]', async () => {
    const bytes = written([line(2)]);
    const client = await way.dialer('http://server', streamOf(way.kind, bytes.slice(0, -10), [])).dial({}, never);
    if (!isSse) void client.send(haiReply);
    expect(await all(client)).toHaveLength(1);
    expect(await client.closed).toMatchObject({ code: 1006, reason: 'the stream was cut' });
  });

  test('A4: a line without end is given up', async () => {
    const limits = { ...defaultCodecLimits, maxTextBytes: 1000, maxBinaryBytes: 0 };
    const endless = written(['x'.repeat(100_000)]);
    const cuts = Array.from({ length: 100 }, (_, i) => i * 1000);
    const client = await way.dialer('http://server', streamOf(way.kind, endless, cuts)).dial({ limits }, never);
    if (!isSse) void client.send(haiReply);
    expect(await client.closed).toMatchObject({ code: 1006 });
    expect(await all(client)).toEqual([]);
  });

  test('headers go with every request', async () => {
    const seen: unknown[] = [];
    const http = createServer();
    const server = await hold(way, {}, http);
    const emit = http.emit.bind(http) as (...details: unknown[]) => boolean;
    http.emit = (event: string, ...details: unknown[]) => {
      if (event === 'request') seen.push((details[0] as { headers: Record<string, string> }).headers['x-trace']);
      return emit(event, ...details);
    };
    const { serverSentEvents } = await import('@haip/transport-sse/client');
    const { httpStream } = await import('@haip/transport-http/client');
    const make = isSse ? serverSentEvents : httpStream;
    const client = await make({ url: server.url, headers: { 'x-trace': '7' } }).dial({}, never);
    void client.send({ text: line(1), shared: false });
    void (await server.accepted()).connection.send(haiReply);
    await client[Symbol.asyncIterator]().next();
    client.close(1000);
    await client.closed;
    expect(seen.length).toBeGreaterThan(1);
    expect(new Set(seen)).toEqual(new Set(['7']));
  });
});

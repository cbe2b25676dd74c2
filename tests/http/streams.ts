// A server whose connections a test holds, and streams opened by plain requests, to see what is on the wire.

import { createServer } from 'node:http';
import type { Connection, Frame, PeerInfo } from '@haip/protocol';
import { onTestFinished } from 'vitest';
import { type Listening, listening, type ServeOptions, type Way } from './served.ts';

interface Accepted {
  readonly connection: Connection;
  readonly info: PeerInfo;
}

export interface Holding extends Listening {
  readonly url: string;
  /** The next connection that was accepted, in order. */
  accepted(): Promise<Accepted>;
  /** Connections that were accepted and have not ended. */
  readonly open: number;
}

/** Serves connections that nobody answers. */
export async function hold(way: Way, options: ServeOptions = {}, http = createServer()): Promise<Holding> {
  const ready: Accepted[] = [];
  const waiting: ((accepted: Accepted) => void)[] = [];
  let open = 0;
  way.mount(
    http,
    async (connection, info) => {
      open++;
      void connection.closed.then(() => open--);
      const next = waiting.shift();
      if (next) next({ connection, info });
      else ready.push({ connection, info });
    },
    options,
  );
  const server = await listening(http);
  onTestFinished(server.close);
  return {
    ...server,
    url: `${server.origin}${way.path}`,
    get open() {
      return open;
    },
    accepted() {
      const first = ready.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** An envelope's text, with a number of its own. */
export function line(seq: number, fields: Record<string, unknown> = {}): string {
  const type = seq === 1 ? 'HAI' : 'MESSAGE';
  const payload = seq === 1 ? {} : 'Hello';
  const envelope = { id: `m${seq}`, transaction: null, session: '', seq: String(seq), ts: '0', channel: 'USER' };
  return JSON.stringify({ ...envelope, type, payload, ...fields });
}

export const haiReply: Frame = { text: line(1, { seq: '0', session: 's1' }), shared: false };

export const ndjson = { 'content-type': 'application/x-ndjson' };

export interface OpenStream {
  readonly response: Response;
  readonly connection: Connection;
  /** The ids of what the server's end was given, in order; faults as their codes. Grows. */
  readonly taken: readonly string[];
  /** Begins to take what came. */
  read(): void;
  /** The absolute upstream address. */
  readonly address: string;
  /** POSTs lines there. */
  post(lines: readonly string[], init?: RequestInit): Promise<Response>;
  /** Resolves with what the stream brought so far, once it has this in it. */
  until(text: string): Promise<string>;
  /** All of it. */
  readonly whole: Promise<string>;
}

/** Opens a stream whose HAI is granted. With `reads` false nothing is taken of what comes behind it. */
export async function openStream(way: Way, server: Holding, { reads = true } = {}): Promise<OpenStream> {
  const asked = fetch(server.url, way.kind === 'sse' ? {} : { method: 'POST', headers: ndjson, body: line(1) });
  const { connection } = await server.accepted();
  const taken: string[] = [];
  const gathered = () => void gather(connection, taken);
  if (reads) gathered();
  if (way.kind === 'http') void connection.send(haiReply);
  const response = await asked;
  const { until, whole } = textOf(response);
  const relative =
    response.headers.get('haip-upstream') ?? /"upstream":"([^"]+)"/.exec(await until('upstream'))?.[1] ?? 'none';
  const address = new URL(relative, server.url).href;
  const post = (lines: readonly string[], init: RequestInit = {}) =>
    fetch(address, { method: 'POST', headers: ndjson, body: lines.join('\n'), ...init });
  if (way.kind === 'sse') {
    const posted = post([line(1)]);
    void connection.send(haiReply);
    await posted;
  }
  return { response, connection, taken, address, post, until, whole, read: gathered };
}

async function gather(connection: Connection, taken: string[]): Promise<void> {
  for await (const batch of connection) {
    for (const item of batch) taken.push('envelope' in item ? item.envelope.id : item.code);
  }
}

/** Reads an answer's body from now on. */
export function textOf(response: Response): Pick<OpenStream, 'until' | 'whole'> {
  let text = '';
  const looks = new Set<() => void>();
  const read = async (): Promise<string> => {
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      text += decoder.decode(next.value, { stream: true });
      for (const look of looks) look();
    }
    return text;
  };
  const whole = read();
  whole.catch(() => {});
  const until = (part: string): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (text.includes(part)) resolve(text);
      };
      looks.add(look);
      look();
    });
  return { until, whole };
}

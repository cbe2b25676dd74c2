// A load balancer that keeps nobody to a node: each request goes to the next one, upgrades as well. A node that takes no
// connection is passed over, as proxies do. Requests and answers pass as they are.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Listening, listening } from '../http/served.ts';

export interface Balancer extends Listening {
  /** Where requests go, in turn; may be changed at any time. */
  readonly ports: number[];
  /** How many went to each port. */
  readonly went: ReadonlyMap<number, number>;
}

export async function balancer(ports: readonly number[]): Promise<Balancer> {
  const went = new Map<number, number>();
  const all = [...ports];
  let turn = 0;
  /** Each port once, the next one first. */
  const inTurn = (): number[] => {
    const first = turn++ % Math.max(1, all.length);
    return [...all.slice(first), ...all.slice(0, first)];
  };
  const count = (port: number): void => void went.set(port, (went.get(port) ?? 0) + 1);
  const http = createServer((asked, answered) => pass(asked, answered, inTurn(), count));
  http.on('upgrade', (asked: IncomingMessage, socket: Socket, head: Buffer) => {
    passUpgrade(asked, socket, head, inTurn(), count);
  });
  const server = await listening(http);
  onTestFinished(server.close);
  return { ...server, ports: all, went };
}

/** The body is read first, so that it can go to another node when the first one is not there. */
async function pass(
  asked: IncomingMessage,
  answered: ServerResponse,
  ports: readonly number[],
  count: (port: number) => void,
): Promise<void> {
  const { method, url, headers } = asked;
  const chunks: Buffer[] = [];
  asked.on('error', () => {});
  answered.on('error', () => {});
  try {
    for await (const chunk of asked) chunks.push(chunk);
  } catch {
    return;
  }
  const [port, ...others] = ports;
  if (port === undefined) return void answered.writeHead(502).end();
  const attempt = (to: number, rest: readonly number[]): void => {
    const onward = request({ host: '127.0.0.1', port: to, method, path: url, headers, agent: false }, (answer) => {
      count(to);
      answered.writeHead(answer.statusCode ?? 502, answer.headers);
      answered.flushHeaders();
      answer.on('error', () => answered.destroy());
      answer.pipe(answered);
    });
    answered.on('close', () => onward.destroy());
    onward.on('error', (error: NodeJS.ErrnoException) => {
      const [next, ...later] = rest;
      if (answered.headersSent) answered.destroy();
      else if (error.code === 'ECONNREFUSED' && next !== undefined) attempt(next, later);
      else answered.writeHead(502).end();
    });
    onward.end(Buffer.concat(chunks));
  };
  attempt(port, others);
}

function passUpgrade(
  asked: IncomingMessage,
  socket: Socket,
  head: Buffer,
  ports: readonly number[],
  count: (port: number) => void,
): void {
  const [port, ...others] = ports;
  socket.on('error', () => socket.destroy());
  if (port === undefined) return void socket.destroy();
  const onward = connect(port, '127.0.0.1', () => {
    count(port);
    const lines = asked.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`));
    onward.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
    onward.write(head);
    onward.pipe(socket);
    socket.pipe(onward);
  });
  onward.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED' && others.length > 0) passUpgrade(asked, socket, head, others, count);
    else socket.destroy();
  });
  onward.on('close', () => socket.destroy());
  socket.on('close', () => onward.destroy());
}

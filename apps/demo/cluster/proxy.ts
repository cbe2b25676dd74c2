// A load balancer that keeps nobody to a node: each request goes to the next one, upgrades as well. A node that takes no
// connection is passed over. Requests and answers pass as they are, as they come; nothing is kept.

import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';

/** Somebody that requests may go to. */
export interface Backend {
  /** Undefined while there is nobody. */
  readonly port: number | undefined;
}

/** Told which request went to which node. */
export type Passed<To> = (to: To, request: IncomingMessage) => void;

const host = '127.0.0.1';

/** What is between two neighbours only. */
const hopByHop = ['connection', 'keep-alive', 'proxy-connection'];

const isAway = (error: NodeJS.ErrnoException): boolean => error.code === 'ECONNREFUSED';

/** Not listening yet. */
export function alternatingProxy<To extends Backend>(backends: readonly To[], passed: Passed<To>): Server {
  let turn = 0;
  /** Those that are there, once each, the next one first. */
  const inTurn = (): To[] => {
    const first = turn++ % backends.length;
    return [...backends.slice(first), ...backends.slice(0, first)].filter(({ port }) => port !== undefined);
  };
  const server = createServer((asked, answered) => void pass(asked, answered, inTurn(), passed));
  server.on('upgrade', (asked, socket: Socket, head) => passUpgrade({ asked, socket, head }, inTurn(), passed));
  return server;
}

function withoutHops(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name)));
}

/** The body is read first, so that it can go to another node when the first one is not there. */
async function pass<To extends Backend>(
  asked: IncomingMessage,
  answered: ServerResponse,
  nodes: readonly To[],
  passed: Passed<To>,
): Promise<void> {
  const { method, url } = asked;
  const chunks: Buffer[] = [];
  answered.on('error', () => {});
  try {
    for await (const chunk of asked) chunks.push(chunk);
  } catch {
    // Whoever asked is gone.
    return;
  }
  const attempt = ([node, ...others]: readonly To[]): void => {
    if (node === undefined) return void answered.writeHead(502).end();
    // Gone since its turn came.
    if (node.port === undefined) return attempt(others);
    const headers = withoutHops(asked.headers);
    const onward = request({ host, port: node.port, method, path: url, headers, agent: false }, (answer) => {
      passed(node, asked);
      answered.writeHead(answer.statusCode ?? 502, withoutHops(answer.headers));
      // A stream has a head long before it has a body.
      answered.flushHeaders();
      answer.on('error', () => answered.destroy());
      answer.pipe(answered);
    });
    answered.once('close', () => onward.destroy());
    onward.on('error', (error) => {
      if (answered.headersSent) answered.destroy();
      else attempt(isAway(error) ? others : []);
    });
    onward.end(Buffer.concat(chunks));
  };
  attempt(nodes);
}

interface Upgrade {
  readonly asked: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
}

/** Bytes from here on, both ways, until one end is gone. */
function passUpgrade<To extends Backend>(upgrade: Upgrade, [node, ...others]: readonly To[], passed: Passed<To>): void {
  const { asked, socket, head } = upgrade;
  socket.on('error', () => socket.destroy());
  if (node?.port === undefined) return void socket.destroy();
  const onward = connect(node.port, host, () => {
    passed(node, asked);
    const lines = asked.rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
    onward.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
    onward.write(head);
    onward.pipe(socket);
    socket.pipe(onward);
    onward.once('close', () => socket.destroy());
  });
  socket.once('close', () => onward.destroy());
  onward.on('error', (error) => {
    if (onward.pending && isAway(error)) passUpgrade(upgrade, others, passed);
    else socket.destroy();
  });
}

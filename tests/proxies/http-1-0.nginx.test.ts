// Clients that speak HTTP/1.0, directly and through nginx: no chunks, a connection for each request, a stream that
// ends with its connection.

import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished, test } from 'vitest';
import { ways } from '../http/served.ts';
import { nginxBefore } from './nginx.ts';
import { documented, serve } from './scene.ts';

interface Answer {
  /** The first group of what it waits for. */
  until(pattern: RegExp): Promise<string>;
}

/** A request by hand: a POST when there is a body. */
function ask(port: number, path: string, body?: string): Answer {
  const socket = connect(port, '127.0.0.1');
  const closed = new AbortController();
  onTestFinished(() => void socket.destroy());
  socket.once('close', () => closed.abort(new Error('the connection was closed')));
  const head = [
    `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.0`,
    `Host: 127.0.0.1:${port}`,
    ...(body === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`]),
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`);
  let text = '';
  socket.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  return {
    async until(pattern) {
      for (;;) {
        const found = pattern.exec(text);
        if (found) return found[1] ?? '';
        await once(socket, 'data', { signal: closed.signal });
      }
    },
  };
}

function line(seq: number, type: string, payload: unknown, transaction: string | null = null): string {
  return JSON.stringify({
    id: `m${seq}`,
    transaction,
    session: '',
    seq: `${seq}`,
    ts: '0',
    channel: 'USER',
    type,
    payload,
  });
}

const onNode = ways.filter(({ name }) => name.endsWith('on Node'));
const places = ['directly', 'through nginx'].flatMap((where) => onNode.map((row) => ({ where, row })));

test.each(places)('F12: a client of HTTP/1.0 is served by $row.name event by event $where', async ({ where, row }) => {
  const scene = await serve([row]);
  const { port } = where === 'directly' ? scene : await nginxBefore(scene, documented);
  const hai = line(1, 'HAI', { haip_version: '1.1.2', accept_major: [1], capabilities: { transaction_log: true } });
  const isSse = row.kind === 'sse';
  const stream = ask(port, row.path, isSse ? undefined : hai);
  const address = await stream.until(isSse ? /"upstream":"([^"]+)"/ : /haip-upstream: (\S+)/i);
  const post = (text: string): Promise<string> => ask(port, `/haip/${address}`, text).until(/ 202 [\s\S]*"taken":(1)/);
  if (isSse) await post(hai);
  await stream.until(/"type":"HAI"/);
  await post(line(2, 'TRANSACTION_START', { toolName: 'speller', params: {} }));
  const transaction = await stream.until(/"transaction":"([^"]+)"/);
  await post(line(3, 'MESSAGE', 'abc', transaction));
  for (const letter of 'abc') {
    scene.next();
    await stream.until(new RegExp(`"text":"${letter}"`));
  }
});

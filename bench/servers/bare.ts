// What anybody would write with ws, or with node:http alone: parse, answer the same envelope, stringify, send. No log, no
// order, no resume: the measure that ours is held against.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { report } from './report.ts';
import { models, nextTurn } from './ticker.ts';

interface Client {
  /** An envelope's text as it is written to this kind of client. */
  frame(text: string): string;
  write(frame: string): void;
}

type Envelope = Readonly<Record<'type' | 'transaction' | 'payload' | 'thread_id', string>>;

const readers = new Set<Client>();

async function streamTokens(client: Client, envelope: Envelope, ready: () => number): Promise<void> {
  for (let left = Number(envelope.payload); left > 0; ) {
    await nextTurn();
    for (let now = Math.min(ready(), left); now > 0; now--, left--) {
      const payload = { message_id: 'm', text: 'token is' };
      send(client, { ...envelope, channel: 'AGENT', type: 'MESSAGE_PART', payload });
    }
  }
}

function send(client: Client, envelope: object): void {
  client.write(client.frame(JSON.stringify(envelope)));
}

function take(client: Client, text: string): void {
  const envelope = JSON.parse(text) as Envelope;
  if (envelope.type === 'HAI') send(client, { ...envelope, channel: 'SYSTEM', payload: { haip_version: '1.1.2' } });
  else if (envelope.type === 'TRANSACTION_START') {
    send(client, { ...envelope, payload: { referenceId: envelope.transaction } });
  } else if (envelope.type === 'TRANSACTION_JOIN') {
    readers.add(client);
    send(client, { ...envelope, payload: { verdict: 'resumed' } });
  } else if (envelope.thread_id === 'room') {
    const frame = client.frame(JSON.stringify({ ...envelope, channel: 'USER' }));
    for (const reader of readers) reader.write(frame);
  } else {
    const model = models[envelope.thread_id];
    if (model) streamTokens(client, envelope, model());
    else send(client, { ...envelope, channel: 'AGENT' });
  }
}

const clients = new Map<string, Client>();
let opened = 0;

/** A client whose stream is this answer. Its POSTs go to the address that is given back. */
function open(response: ServerResponse, frame: Client['frame']): { client: Client; address: string } {
  const client: Client = { frame, write: (text) => response.write(text) };
  const secret = String(++opened).padStart(32, '0');
  clients.set(secret, client);
  response.on('close', () => {
    clients.delete(secret);
    readers.delete(client);
  });
  return { client, address: secret };
}

function body(request: IncomingMessage, then: (text: string) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => then(String(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))));
}

const http = createServer((request, response) => {
  const url = request.url as string;
  if (url === '/haip/sse') {
    const { address } = open(response, (text) => `data: ${text}\n\n`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: open\ndata: {"upstream":"sse/${address}"}\n\n`);
  } else if (url === '/haip/stream') {
    body(request, (text) => {
      const { client, address } = open(response, (line) => `${line}\n`);
      response.writeHead(200, { 'content-type': 'application/x-ndjson', 'haip-upstream': `stream/${address}` });
      take(client, text);
    });
  } else {
    body(request, (text) => {
      const client = clients.get(url.slice(url.lastIndexOf('/') + 1));
      response.statusCode = client ? 202 : 404;
      response.end();
      if (client) for (const line of text.split('\n')) take(client, line);
    });
  }
});

new WebSocketServer({ server: http, perMessageDeflate: false }).on('connection', (socket) => {
  const client: Client = { frame: (text) => text, write: (text) => socket.send(text) };
  socket.on('message', (message) => take(client, String(message)));
  socket.on('close', () => readers.delete(client));
});

http.listen(0, '127.0.0.1', () => report((http.address() as AddressInfo).port));

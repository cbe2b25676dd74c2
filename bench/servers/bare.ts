// What anybody would write with ws alone: parse, answer the same envelope, stringify, send. No log, no order, no
// resume: the measure that ours is held against.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { report } from './report.ts';
import { nextTurn } from './ticker.ts';

const readers = new Set<WebSocket>();
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });

async function streamTokens(socket: WebSocket, envelope: { payload: string }): Promise<void> {
  for (let left = Number(envelope.payload); left > 0; left--) {
    await nextTurn();
    socket.send(
      JSON.stringify({
        ...envelope,
        channel: 'AGENT',
        type: 'MESSAGE_PART',
        payload: { message_id: 'm', text: 'token is' },
      }),
    );
  }
}

server.on('connection', (socket) => {
  socket.on('message', (message) => {
    const envelope = JSON.parse(String(message));
    switch (envelope.type) {
      case 'HAI':
        socket.send(JSON.stringify({ ...envelope, channel: 'SYSTEM', payload: { haip_version: '1.1.2' } }));
        break;
      case 'TRANSACTION_START':
        socket.send(JSON.stringify({ ...envelope, payload: { referenceId: envelope.transaction } }));
        break;
      case 'TRANSACTION_JOIN':
        readers.add(socket);
        socket.on('close', () => readers.delete(socket));
        socket.send(JSON.stringify({ ...envelope, payload: { verdict: 'resumed' } }));
        break;
      default:
        if (envelope.thread_id === 'tokens') streamTokens(socket, envelope);
        else if (envelope.thread_id === 'room') {
          const frame = JSON.stringify({ ...envelope, channel: 'USER' });
          for (const reader of readers) reader.send(frame);
        } else socket.send(JSON.stringify({ ...envelope, channel: 'AGENT' }));
    }
  });
});

http.listen(0, '127.0.0.1', () => report((http.address() as AddressInfo).port));

// The WebSocket of ws: Node's own has no ping and can not pause.

import { type CodecLimits, defaultCodecLimits } from '@haip/protocol';
import { WebSocket } from 'ws';
import type { ClientConnection } from './client-connection.ts';
import type { NodeSocket, SocketOptions } from './client-socket.ts';
import { NodeConnection } from './node-connection.ts';

export function openConnection(
  { url, protocols, headers }: SocketOptions,
  { maxTextBytes, maxBinaryBytes }: CodecLimits = defaultCodecLimits,
): ClientConnection {
  const maxPayload = Math.max(maxTextBytes, maxBinaryBytes);
  const socket = new WebSocket(url, protocols ?? [], { headers, perMessageDeflate: false, maxPayload });
  return new NodeConnection(socket as unknown as NodeSocket);
}

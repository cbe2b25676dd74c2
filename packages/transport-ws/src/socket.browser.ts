// The platform's WebSocket: browsers, and whatever else has only that one.

import { ClientConnection } from './client-connection.ts';
import type { ClientSocket, SocketOptions } from './client-socket.ts';

export function openConnection({ url, protocols }: SocketOptions): ClientConnection {
  return new ClientConnection(new WebSocket(url, protocols) as ClientSocket);
}

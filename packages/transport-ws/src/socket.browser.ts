// The platform's WebSocket: browsers, and whatever else has only that one.

import type { ConnectionEnd } from '@haip/protocol';
import type { ClientSocket, SocketOptions } from './client-socket.ts';

export function openSocket({ url, protocols }: SocketOptions): ClientSocket {
  return new WebSocket(url, protocols) as ClientSocket;
}

/** A page may name 1000 and its own codes, nothing in between, and can not cut a link. */
export function closeSocket(socket: ClientSocket, code: number, reason: string): void {
  socket.close(code < 3000 ? 1000 : code, reason);
}

/** A page is not told why. */
export function failureOfEvent(): ConnectionEnd | undefined {
  return undefined;
}

// The WebSocket of ws: Node's own has no ping and can not pause.

import { type CodecLimits, type ConnectionEnd, defaultCodecLimits } from '@haip/protocol';
import { WebSocket } from 'ws';
import type { ClientSocket, SocketOptions } from './client-socket.ts';
import { failureOf } from './socket-failure.ts';

export function openSocket(
  { url, protocols, headers }: SocketOptions,
  { maxTextBytes, maxBinaryBytes }: CodecLimits = defaultCodecLimits,
): ClientSocket {
  const maxPayload = Math.max(maxTextBytes, maxBinaryBytes);
  return new WebSocket(url, protocols ?? [], { headers, perMessageDeflate: false, maxPayload }) as ClientSocket;
}

/** 1006 says that a link was cut, and so it is. */
export function closeSocket(socket: ClientSocket, code: number, reason: string): void {
  if (code === 1006) socket.terminate?.();
  else socket.close(code, reason);
}

export function failureOfEvent(event: object): ConnectionEnd | undefined {
  return failureOf((event as { readonly error: Error }).error);
}

// Dials a server over WebSocket, from a browser or from Node. Spec: §7.

import type { Transport } from '@haip/protocol';
import { openConnection } from '#socket';
import type { SocketOptions } from './client-socket.ts';

const connecting = 0;

export interface WebSocketOptions extends SocketOptions {
  /** `ws:` or `wss:`; its path is the server's, `/haip/websocket` by default. */
  readonly url: string | URL;
  /** Offered to the server as subprotocols. */
  readonly protocols?: string | string[] | undefined;
  /** Sent with the upgrade request. In Node only: a browser lets no page choose them. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** HAIP over WebSocket. An option that is no WebSocket URL shows as a rejected `dial`. */
export function webSocket(options: WebSocketOptions): Transport {
  return {
    name: 'websocket',
    dial: ({ limits }, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const connection = openConnection(options, limits);
        const { socket } = connection;
        const giveUp = () => {
          reject(signal.reason);
          if (socket.readyState === connecting) socket.close();
        };
        signal.addEventListener('abort', giveUp);
        socket.onopen = () => resolve(connection);
        void connection.closed.then(({ reason }) => {
          signal.removeEventListener('abort', giveUp);
          // Without the query: applications put tokens there.
          reject(new Error(`No WebSocket at ${String(options.url).split('?', 1)}: ${reason}`));
        });
      }),
  };
}

// Dials a server over Server-Sent Events, from a browser or from Node. Spec: §7.

import { ClientLink, type LinkOptions } from '@haip/http-link/client';
import type { Transport } from '@haip/protocol';
import { events } from './events.ts';

export interface ServerSentEventsOptions extends LinkOptions {
  /** `http:` or `https:`; its path is the server's, `/haip/sse` by default. */
  readonly url: string | URL;
}

/** HAIP over Server-Sent Events. A server that asks to be left alone for a while shows as a connection that has ended. */
export function serverSentEvents(options: ServerSentEventsOptions): Transport {
  return {
    name: 'sse',
    dial: (dialing, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const giveUp = (): void => {
          reject(signal.reason);
          link.close(1006);
        };
        const stay = (): void => signal.removeEventListener('abort', giveUp);
        const opened = (): void => {
          stay();
          resolve(link);
        };
        const link = new ClientLink(options, events, dialing, { opened });
        signal.addEventListener('abort', giveUp);
        void link.open({});
        void link.closed.then(({ reason, retryAfterMs }) => {
          if (retryAfterMs) opened();
          stay();
          reject(new Error(reason));
        });
      }),
  };
}

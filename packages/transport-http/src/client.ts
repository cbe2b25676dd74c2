// Dials a server over streamed HTTP, from a browser or from Node. Spec: §7.

import { ClientLink, type LinkOptions } from '@haip/http-link/client';
import type { Transport } from '@haip/protocol';
import { lines } from './lines.ts';

export interface HttpStreamOptions extends LinkOptions {
  /** `http:` or `https:`; its path is the server's, `/haip/stream` by default. */
  readonly url: string | URL;
}

/**
 * HAIP over streamed HTTP. The first message is the request that opens the stream, so a dial succeeds at once, and a
 * server that can not be reached shows as the end of the connection.
 */
export function httpStream(options: HttpStreamOptions): Transport {
  return {
    name: 'http',
    async dial(dialing, signal) {
      signal.throwIfAborted();
      return new ClientLink(options, lines, dialing, { opensByPost: true });
    },
  };
}

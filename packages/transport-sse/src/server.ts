// Takes links over Server-Sent Events from any Node HTTP server and gives each to an Accept as a Connection. Spec: §7.

import { Endpoint, type EndpointOptions, type HttpServer, type MountOptions, mount } from '@haip/http-link/server';
import type { Accept } from '@haip/protocol';
import { defaultPath, sseKind } from './event-framing.ts';

export interface AcceptServerSentEventsOptions extends EndpointOptions, MountOptions {
  /** The path of the stream; POSTs come in below it. Default `/haip/sse`. */
  readonly path?: string | undefined;
}

export interface ServerSentEventsListener {
  /** Opens no more streams. Those that are open stay open: they are ended by who accepted them. */
  close(): void;
  /** Streams that are open. */
  readonly size: number;
}

/**
 * Accepts Server-Sent Events on `server`, beside whatever else it serves.
 * @throws Error when the path is taken on this server.
 */
export function acceptServerSentEvents(
  server: HttpServer,
  accept: Accept,
  options: AcceptServerSentEventsOptions = {},
): ServerSentEventsListener {
  const path = options.path ?? defaultPath;
  const endpoint = new Endpoint(path, sseKind, accept, options);
  mount(server, path, endpoint, options);
  return endpoint;
}

// Takes links over streamed HTTP from any Node HTTP server and gives each to an Accept as a Connection. Spec: §7.

import { Endpoint, type EndpointOptions, type HttpServer, type MountOptions, mount } from '@haip/http-link/server';
import type { Accept } from '@haip/protocol';
import { defaultPath, httpKind } from './line-framing.ts';

export interface AcceptHttpStreamsOptions extends EndpointOptions, MountOptions {
  /** The path of the stream; POSTs come in below it. Default `/haip/stream`. */
  readonly path?: string | undefined;
}

export interface HttpStreamListener {
  /** Opens no more streams. Those that are open stay open: they are ended by who accepted them. */
  close(): void;
  /** Streams that are open. */
  readonly size: number;
}

/**
 * Accepts streamed HTTP on `server`, beside whatever else it serves.
 * @throws Error when the path is taken on this server.
 */
export function acceptHttpStreams(
  server: HttpServer,
  accept: Accept,
  options: AcceptHttpStreamsOptions = {},
): HttpStreamListener {
  const path = options.path ?? defaultPath;
  const endpoint = new Endpoint(path, httpKind, accept, options);
  mount(server, path, endpoint, options);
  return endpoint;
}

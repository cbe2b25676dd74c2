// Takes links over streamed HTTP wherever a server is a function from Request to Response. Spec: §7.

import { answerRequests, Endpoint, type EndpointOptions, type RequestInfo } from '@haip/http-link/web';
import type { Accept } from '@haip/protocol';
import { defaultPath, httpKind } from './line-framing.ts';

export interface HttpStreamHandlerOptions extends EndpointOptions {
  /** The path of the stream as the requests have it; POSTs come in below it. Default `/haip/stream`. */
  readonly path?: string | undefined;
}

/**
 * A function for requests to `path` and below it. All requests of a stream must reach the process that holds it, or one
 * with which that shares a `backplane`.
 */
export function httpStreamHandler(
  accept: Accept,
  options: HttpStreamHandlerOptions = {},
): (request: Request, info?: RequestInfo) => Promise<Response> {
  return answerRequests(new Endpoint(options.path ?? defaultPath, httpKind, accept, options));
}

// Takes links over Server-Sent Events wherever a server is a function from Request to Response. Spec: §7.

import { answerRequests, Endpoint, type EndpointOptions, type RequestInfo } from '@haip/http-link/web';
import type { Accept } from '@haip/protocol';
import { defaultPath, sseKind } from './event-framing.ts';

export interface ServerSentEventsHandlerOptions extends EndpointOptions {
  /** The path of the stream as the requests have it; POSTs come in below it. Default `/haip/sse`. */
  readonly path?: string | undefined;
}

/**
 * A function for requests to `path` and below it. All requests of a stream must reach the process that holds it, or one
 * with which that shares a `backplane`.
 */
export function serverSentEventsHandler(
  accept: Accept,
  options: ServerSentEventsHandlerOptions = {},
): (request: Request, info?: RequestInfo) => Promise<Response> {
  return answerRequests(new Endpoint(options.path ?? defaultPath, sseKind, accept, options));
}

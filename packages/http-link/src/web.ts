import type { Endpoint } from './endpoint.ts';
import { WebExchange } from './exchange.web.ts';

export { Endpoint, type EndpointOptions, type LinkKind } from './endpoint.ts';

/** What a runtime knows beside the request. */
export interface RequestInfo {
  readonly remoteAddress?: string | undefined;
}

/** Answers requests for one endpoint: its path, and one segment below it. */
export function answerRequests(endpoint: Endpoint): (request: Request, info?: RequestInfo) => Promise<Response> {
  return (request, { remoteAddress } = {}) => {
    const exchange = new WebExchange(request, remoteAddress);
    void endpoint.take(exchange);
    return exchange.response;
  };
}

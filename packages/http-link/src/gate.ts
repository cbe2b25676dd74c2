// Who may come in, before anything is read: by the page that asks (Origin), the name it asks for (Host), and what it
// sends. Pure. Spec: §7; attacks A35, A49–A52.

import type { Exchange, Headers } from './exchange.ts';

export interface GateOptions {
  /**
   * The values of `Origin` that pages may come from, beside the server's own; `*` for every page, without cookies.
   * A request without one is no page's and passes. Default: the server's own only.
   */
  readonly origins?: readonly string[] | undefined;
  /**
   * The names, without a port, that requests may be for; `*` for any. Default: any, or `localhost` and loopback
   * addresses when the server listens on one of those.
   */
  readonly hosts?: readonly string[] | undefined;
}

/** A status and what was expected, or the headers that let the page read the answer. */
export type Passage = { readonly status: number; readonly expected: string } | { readonly headers: Headers };

const exposed = 'HAIP-Upstream, Retry-After';
const local = /^(?:localhost|(?:[\w-]+\.)+localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;
const host = /^([\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** @throws TypeError for what is no list: a text would let in whatever is part of it. */
export function refuseUnlessLists({ origins, hosts }: GateOptions): void {
  for (const [name, list] of Object.entries({ origins, hosts })) {
    if (list !== undefined && !Array.isArray(list))
      throw new TypeError(`${name}: expected a list, got a ${typeof list}`);
  }
}

/** Whether a request may come in. */
export function judgeRequest({ headers, isLocal }: Exchange, { origins = [], hosts }: GateOptions): Passage {
  const [authority, name] = host.exec(String(headers['host'] ?? '')) ?? [];
  if (name === undefined) return { status: 400, expected: 'one Host' };
  const named = hosts?.some((one) => one === '*' || one === name.toLowerCase()) ?? !isLocal;
  if (!named && !(isLocal && local.test(name))) return { status: 421, expected: 'a Host of this server: see hosts' };
  const origin = headers['origin'];
  if (origin === undefined) return { headers: { vary: 'Origin' } };
  if (typeof origin === 'string' && origins.includes(origin)) {
    return {
      headers: {
        vary: 'Origin',
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': exposed,
      },
    };
  }
  if (origins.includes('*')) {
    return {
      headers: { vary: 'Origin', 'access-control-allow-origin': '*', 'access-control-expose-headers': exposed },
    };
  }
  if (headers['sec-fetch-site'] === 'same-origin' || isOwn(String(origin), authority ?? '')) {
    return { headers: { vary: 'Origin' } };
  }
  return { status: 403, expected: 'a listed Origin: see origins' };
}

function isOwn(origin: string, authority: string): boolean {
  return origin === `https://${authority}` || origin === `http://${authority}`;
}

/** What a browser is told before it sends what a form could not. */
export const preflight: Headers = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': 'Content-Type, Authorization',
  'access-control-max-age': '600',
};

const contentTypes = ['application/x-ndjson', 'application/json'];

/** The content type of a POST, or undefined for one that a form could have sent, or that is coded. */
export function contentTypeOf({ headers }: Exchange): string | undefined {
  const coding = headers['content-encoding'] ?? 'identity';
  const [type = ''] = String(headers['content-type'] ?? '').split(';', 1);
  const found = contentTypes.indexOf(type.trim().toLowerCase());
  return coding === 'identity' ? contentTypes[found] : undefined;
}

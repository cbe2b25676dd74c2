// Serves the built page from a table of exact addresses that is made once, at start. A request never becomes a path,
// so there is nothing to traverse: what is not in the table is 404, however it is spelled.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';

export interface StaticFile {
  readonly body: Buffer;
  readonly headers: OutgoingHttpHeaders;
}

export type FileTable = ReadonlyMap<string, StaticFile>;

const mediaTypes = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.woff2', 'font/woff2'],
  ['.txt', 'text/plain; charset=utf-8'],
]);

/** Scripts, styles and sockets from here only; nothing inline, no frames, no form targets, no strings as scripts. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "connect-src 'self'",
  "media-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const everywhere: OutgoingHttpHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** A file as it will be served. What the build names by its content is kept for a year, all else is asked for anew. */
export function staticFile(address: string, body: Buffer): StaticFile {
  const isNamedByContent = address.startsWith('/assets/');
  return {
    body,
    headers: {
      ...everywhere,
      'cache-control': isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-length': body.length,
      'content-type': mediaTypes.get(extname(address)) ?? 'application/octet-stream',
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    },
  };
}

/** Reads every file under `folder`, those with a leading dot left out. `/` is index.html. */
export function readFileTable(folder: string): FileTable {
  const table = new Map<string, StaticFile>();
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const address = `/${relative(folder, path).split(sep).join('/')}`;
    if (!entry.isFile() || address.includes('/.')) continue;
    table.set(address === '/index.html' ? '/' : address, staticFile(address, readFileSync(path)));
  }
  return table;
}

function refuse(response: ServerResponse, status: number, text: string, headers: OutgoingHttpHeaders = {}): void {
  response.writeHead(status, { ...everywhere, 'content-type': 'text/plain; charset=utf-8', ...headers });
  response.end(`${text}\n`);
}

function isUnchanged(request: IncomingMessage, { headers }: StaticFile): boolean {
  const known = request.headers['if-none-match'];
  return known?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === headers['etag']) ?? false;
}

/** Answers GET and HEAD from the table. The query is ignored; the address itself is compared as it came, undecoded. */
export function serveFiles(table: FileTable): RequestListener {
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(response, 405, 'Method not allowed', { allow: 'GET, HEAD', connection: 'close' });
    }
    const [address = ''] = (request.url ?? '').split('?', 1);
    const file = table.get(address);
    if (!file) return refuse(response, 404, 'Not found', { 'cache-control': 'no-store' });
    const isFresh = isUnchanged(request, file);
    const { 'content-length': length, ...headers } = file.headers;
    response.writeHead(isFresh ? 304 : 200, isFresh ? headers : { ...headers, 'content-length': length });
    response.end(isFresh || request.method === 'HEAD' ? undefined : file.body);
  };
}

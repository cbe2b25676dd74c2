import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFileTable, serveFiles } from '../server/static-files.ts';

let http: Server;
let port: number;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'haip-demo-'));
  const page = join(folder, 'web');
  mkdirSync(join(page, 'assets'), { recursive: true });
  mkdirSync(join(page, '.git'));
  writeFileSync(join(folder, 'secret.txt'), 'canary');
  writeFileSync(join(page, 'index.html'), '<!doctype html>page');
  writeFileSync(join(page, '.env'), 'canary');
  writeFileSync(join(page, '.git', 'config'), 'canary');
  writeFileSync(join(page, 'assets', 'app-1a2b3c.js'), 'export {}');
  http = createServer(serveFiles(readFileTable(page)));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  port = (http.address() as AddressInfo).port;
});

afterAll(() => {
  http.closeAllConnections();
  http.close();
  rmSync(folder, { recursive: true });
});

/** Sends a request exactly as written, and gives the whole answer. */
async function raw(target: string, method = 'GET', headers = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`, 'latin1');
  return text(socket);
}

describe('the files of the page', () => {
  test.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/%252e%252e/secret.txt',
    '/..\\secret.txt',
    '/..%5csecret.txt',
    '/assets/..;/../secret.txt',
    '//secret.txt',
    '/./index.html',
    '/.env',
    '/%2eenv',
    '/.git/config',
    '/index.html%00.js',
    '/index.html/',
    '/assets',
    '/assets/',
    '/assets/app-1A2B3C.js',
    '/__proto__',
    '/constructor',
    '/toString',
    '/C:/Windows/win.ini',
    '/etc/passwd',
    'http://localhost/../secret.txt',
    '*',
  ])('A54: %s is not found', async (target) => {
    const answer = await raw(target);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).not.toContain('canary');
  });

  test('A54: a NUL in the target is refused by the parser or not found', async () => {
    expect(await raw('/\0index.html')).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])('A35: %s is not allowed', async (method) => {
    const answer = await raw('/', method);
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer).toMatch(/\r\nallow: GET, HEAD\r\n/i);
  });

  test('every answer forbids foreign scripts, sniffing and referrers', async () => {
    for (const target of ['/', '/assets/app-1a2b3c.js', '/nothing']) {
      const { headers } = await fetch(`http://127.0.0.1:${port}${target}`);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'self'; connect-src 'self';/);
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|data:|\*/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  test('what is named by its content is kept for a year; the page is asked for anew and found unchanged', async () => {
    const asset = await fetch(`http://127.0.0.1:${port}/assets/app-1a2b3c.js`);
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(asset.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const page = await fetch(`http://127.0.0.1:${port}/?from=mail`);
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(await page.text()).toContain('page');
    const etag = page.headers.get('etag') ?? '';
    const again = await raw('/', 'GET', `If-None-Match: "other", W/${etag}\r\n`);
    expect(again).toMatch(/^HTTP\/1\.1 304 /);
    expect(again).not.toContain('doctype');
  });

  test('HEAD has the headers of GET and no body', async () => {
    const answer = await raw('/', 'HEAD');
    expect(answer).toMatch(/\r\ncontent-length: 19\r\n/i);
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });
});

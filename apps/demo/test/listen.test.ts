import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../server/listen.ts';

const open: Server[] = [];

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

function server(): Server {
  const made = createServer();
  open.push(made);
  return made;
}

test('a port that was asked for and is taken is an error, not another port', async () => {
  const first = server().listen(0, '127.0.0.1');
  await once(first, 'listening');
  const { port } = first.address() as AddressInfo;
  await expect(listen(server(), '127.0.0.1', String(port))).rejects.toThrow(`PORT ${port} is taken`);
});

test('without a port that was asked for, a second demo takes the next free one', async () => {
  const [first, second] = [server(), server()];
  await listen(first, '127.0.0.1');
  await listen(second, '127.0.0.1');
  const ports = [first, second].map((one) => (one.address() as AddressInfo).port);
  expect(ports[0]).toBeGreaterThanOrEqual(8080);
  expect(ports[1]).toBeGreaterThan(ports[0] ?? 0);
});

test.each(['http', '-1', '70000', '80 80', '1e3'])('PORT=%s is refused', async (port) => {
  await expect(listen(server(), '127.0.0.1', port)).rejects.toThrow('PORT: expected');
});

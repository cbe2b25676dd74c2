import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Knowledge } from '../server/assistant/knowledge.ts';
import { createDemo } from '../server/demo-server.ts';
import { historyInFile } from '../server/history.ts';
import { temporaryFolder } from './demo-child.ts';

const history = historyInFile(join(temporaryFolder(), 'conversations.db'));
const demo = createDemo({ history, files: new Map(), knowledge: {} as Knowledge, logger: () => {} });
let origin: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => demo.http.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(demo.http.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await demo.close();
  await history.close();
});

test('A73: a health check is told ok and nothing else', async () => {
  const answer = await fetch(`${origin}/health?verbose=1`);
  expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
  expect([...answer.headers.keys()]).not.toContain('x-powered-by');
  expect(answer.headers.get('server')).toBeNull();
});

test.each(['/stats', '/metrics', '/debug', '/health/', '/status'])('A73: there is no %s', async (address) => {
  expect((await fetch(origin + address)).status).toBe(404);
});

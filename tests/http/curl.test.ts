// The lines that docs/transports.md shows are run as they stand, against a real server.

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { memoryHistory } from '@haip/history-memory';
import { HAIPServer } from '@haip/server-core';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { expect, onTestFinished, test } from 'vitest';
import { listening } from './served.ts';

const conversations = [
  ...readFileSync(new URL('../../docs/transports.md', import.meta.url), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g),
].map(([, script = '']) => script);

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version']);
    return true;
  } catch {
    return false;
  }
}

// Without curl there is nothing to run; where all must run, that is a failure.
test.runIf(hasCurl() || process.env['HAIP_REQUIRE_ALL'] === '1').each([
  ['HTTP streaming', 0],
  ['Server-Sent Events', 1],
])('curl holds a conversation over %s, in the lines of docs/transports.md', async (_, which) => {
  const server = new HAIPServer({ history: memoryHistory(), logger: () => {} });
  server.authenticate((auth) =>
    auth.token === 'Bearer TOKEN' ? { id: 'user123', permissions: { MESSAGE: ['*'] }, credits: 1000 } : null,
  );
  server.registerTool<string>({ name: 'echo', onMessage: (turn, text) => turn.reply(text) });
  const http = createServer();
  acceptHttpStreams(http, server.accept);
  acceptServerSentEvents(http, server.accept);
  const { port, close } = await listening(http);
  const folder = mkdtempSync(join(tmpdir(), 'haip-curl-'));
  onTestFinished(async () => {
    await server.close();
    await close();
    rmSync(folder, { recursive: true });
  });
  const script = (conversations[which] ?? 'exit 1').replaceAll('localhost:8080', `127.0.0.1:${port}`);

  const { stdout } = await promisify(execFile)('bash', ['-euc', `trap 'kill $!' EXIT\n${script}`], {
    cwd: folder,
    timeout: 20_000,
  });

  expect(stdout).toMatch(/^(\{"taken":1\})+Hello\n$/);
  expect(conversations).toHaveLength(2);
});

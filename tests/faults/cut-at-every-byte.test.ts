// The cuts are made by processes of their own, side by side: some 5,000 conversations, each over two connections.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('./cut-at-every-byte.ts', import.meta.url));

async function cut(...part: string[]): Promise<{ bytes: number; cuts: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', program, ...part]);
  return JSON.parse(stdout);
}

test('F1, F2 and F7: an exchange of text, audio and a stream is whole, once and in order, cut at any byte either way', async () => {
  const [up, ...down] = await Promise.all([cut('up', '1', '1'), cut('down', '1', '2'), cut('down', '2', '2')]);
  expect(up.bytes).toBeGreaterThan(1000);
  expect(up.cuts).toBe(up.bytes);
  // An exchange that meets other ids or acks may be some bytes shorter than the recorded one, and over before its cut.
  const bytes = Math.max(...down.map((each) => each.bytes));
  const cuts = down.reduce((sum, each) => sum + each.cuts, 0);
  expect(bytes).toBeGreaterThan(3000);
  expect(cuts).toBeGreaterThan(bytes - 150);
}, 180_000);

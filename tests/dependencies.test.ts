// What users install with us: few packages, each chosen (docs/decisions/0002-dependencies.md), locked by digest, and
// none that runs a script when it is installed. A new one needs a line here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, workspacePackages } from '../scripts/sources.ts';

const chosen: Record<string, string[]> = {
  '@haip/history-postgres': ['pg'],
  '@haip/protocol': ['valibot', '@standard-schema/spec'],
  '@haip/history-redis': ['@redis/client'],
  '@haip/testing': ['fast-check'],
  '@haip/transport-ws': ['ws'],
  '@haip/history-nats': ['@nats-io/jetstream', '@nats-io/transport-node'],
};

const published = workspacePackages().filter(({ manifest }) => !manifest.private);
const lockfile = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');

test.each(published)('A72: $manifest.name brings in only what was chosen', ({ manifest }) => {
  const foreign = Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith('@haip/'));
  expect(foreign.filter((name) => !chosen[manifest.name]?.includes(name))).toEqual([]);
});

test('A72: what was chosen brings in nothing itself', () => {
  const snapshots = lockfile.slice(lockfile.indexOf('\nsnapshots:\n'));
  for (const name of ['valibot', '@standard-schema/spec', 'ws', '@redis/client']) {
    const [, body = 'absent'] =
      new RegExp(`\\n  '?${name}@[^\\n]+:([^\\n]*\\n(?:    [^\\n]*\\n)*)`).exec(snapshots) ?? [];
    expect(body).not.toContain('absent');
    expect(body).not.toMatch(/^ {4}dependencies:/m);
  }
});

test('A23, A72: ws is at least the version that caps the fragments of a message', () => {
  const range = published.find(({ manifest }) => manifest.name === '@haip/transport-ws')?.manifest.dependencies?.['ws'];
  const [major, minor] = (range ?? '')
    .replace(/^[\^~]/, '')
    .split('.')
    .map(Number);
  expect(major).toBe(8);
  expect(minor).toBeGreaterThanOrEqual(21);
});

test('A72: every package of the lockfile has a digest', () => {
  const entries = lockfile.slice(lockfile.indexOf('\npackages:\n'), lockfile.indexOf('\nsnapshots:\n'));
  const unsigned = [...entries.matchAll(/\n {2}('?@?[^\s:']+@[^\n]+):\n {4}resolution: (.*)/g)]
    .filter(([, , resolution]) => !resolution?.includes('integrity: sha512-'))
    .map(([, name]) => name);
  expect(unsigned).toEqual([]);
  expect(entries.match(/resolution:/g)?.length).toBeGreaterThan(50);
});

test('A72: only Node itself may run a script when it is installed', () => {
  const workspace = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8');
  const [, list = ''] = /^allowBuilds:\n((?: {2}.*\n)+)/m.exec(workspace) ?? [];
  expect(list.match(/\S+: true/g)).toEqual(['node: true']);
});

// Holds the public surface to what was agreed in exports.json, and the two copies of each map to each other.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pinnedFile, publicSurface } from '../scripts/public-surface.ts';
import { workspacePackages } from '../scripts/sources.ts';

const published = workspacePackages().filter(({ manifest }) => !manifest.private);
const pinned = JSON.parse(readFileSync(pinnedFile, 'utf8')) as Record<string, unknown>;
const surface = publicSurface();

test('every published package is pinned, and nothing else', () => {
  expect(Object.keys(surface)).toEqual(Object.keys(pinned));
});

describe.each(published)('$manifest.name', ({ manifest }) => {
  test('exports what is pinned (after a decision: pnpm pin:exports)', () => {
    expect(surface[manifest.name]).toEqual(pinned[manifest.name]);
  });

  test('publishes its exports and imports without the source condition', () => {
    expect(manifest.publishConfig?.exports).toEqual(withoutSource(manifest.exports));
    expect(manifest.publishConfig?.imports).toEqual(withoutSource(manifest.imports));
  });
});

function withoutSource(map: Record<string, object> | undefined): Record<string, object> | undefined {
  if (!map) return undefined;
  return Object.fromEntries(
    Object.entries(map).map(([entry, conditions]) => [
      entry,
      Object.fromEntries(Object.entries(conditions).filter(([condition]) => condition !== '@haip/source')),
    ]),
  );
}

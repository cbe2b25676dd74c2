import { expect, test } from 'vitest';
import { uuid as ofNode } from '../src/uuid.node.ts';
import { uuid as ofTheWeb } from '../src/uuid.web.ts';

test.each([
  ['Node', 4, ofNode],
  ['the web', 1, ofTheWeb],
])('an id of %s is a UUID v4 with every digit drawn anew but those that say so', (_where, variants, uuid) => {
  const ids = Array.from({ length: 2_000 }, uuid);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const seen = Array.from({ length: 36 }, (_, at) => new Set(ids.map((id) => id.charAt(at))).size);
  const drawn = Array.from('dddddddd-dddd-4ddd-vddd-dddddddddddd', (kind) => ({ d: 16, v: variants })[kind] ?? 1);
  expect(seen).toEqual(drawn);
});

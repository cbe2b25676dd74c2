import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdTable } from '../src/id-table.ts';

/** UUIDs that share most of their digits, ids that look like one and are none, and plain ids. */
const near = fc.nat(300).map((n) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`);
const odd = fc.constantFrom(
  '00000000-0000-4000-8000-00000000000A',
  '00000000-0000-4000-8000-00000000000g',
  '00000000-0000-4000-8000.000000000000',
  '00000000.0000-4000-8000-000000000000',
  '00000000-0000-4000-8000-00000000000',
  '00000000-0000-4000-8000-0000000000000',
  '00000000-0000-4000-8000-00000000000é',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '__proto__',
);
const id = fc.oneof(near, odd, fc.uuid(), fc.string({ maxLength: 40 }));

test('finds what was added and nothing else, as a Map would', () => {
  fc.assert(
    fc.property(fc.array(id, { maxLength: 400 }), fc.array(id, { maxLength: 100 }), (added, asked) => {
      const table = new IdTable();
      const model = new Map<string, { position: number; digest: string }>();
      for (const one of added) {
        expect(table.get(one)).toEqual(model.get(one));
        if (model.has(one)) continue;
        const place = { position: 2 ** 40 + model.size, digest: `d${model.size}` };
        model.set(one, place);
        table.add(one, place.position, place.digest);
      }
      for (const one of [...added, ...asked]) expect(table.get(one)).toEqual(model.get(one));
      expect(table.size).toBe(model.size);
    }),
  );
});

test('knows nothing any more once it was cleared, and takes the same ids again', () => {
  const table = new IdTable();
  for (const count of [3, 100, 5000, 3]) {
    const ids = Array.from({ length: count }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
    for (const key of [...ids, 'plain']) table.add(key, 7, 'digest');
    expect(table.size).toBe(count + 1);
    table.clear();
    expect(table.size).toBe(0);
    for (const key of [...ids, 'plain']) expect(table.get(key)).toBeUndefined();
  }
});

test('two tables do not mix up what each was asked last', () => {
  const [one, other] = [new IdTable(), new IdTable()];
  const key = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
  one.add(key, 1, 'one');
  expect(other.get(key)).toBeUndefined();
  other.add(key, 2, 'other');
  expect([one.get(key)?.position, other.get(key)?.position]).toEqual([1, 2]);
});

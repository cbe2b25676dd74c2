import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPermissionMap, isAllowed } from '../src/index.ts';

const types = [
  'MESSAGE',
  'MESSAGE_START',
  'MESSAGE_PART',
  'MESSAGE_END',
  'MESSAGE_UPDATE',
  'AUDIO',
  'TRANSACTION_START',
  'TOOL_CALL',
  'HAI',
  'PING',
];
const targets = ['t-1', 't-10', 't-', 't', 'T-1', '*', '', '__proto__', 'constructor', 'toString', 't-1 ', 't-*'];

/** What the rules say, written as a table of cases instead of look-ups. */
function model(permissions: Record<string, string[]>, type: string, target: string): boolean {
  if (type === 'HAI' || type === 'PING' || type === 'PONG') return true;
  const streams = ['MESSAGE_START', 'MESSAGE_PART', 'MESSAGE_END'];
  const named = Object.entries(permissions).find(([name]) => name === (streams.includes(type) ? 'MESSAGE' : type));
  if (!named) return type === 'TRANSACTION_START';
  return named[1].some((allowed) => allowed === '*' || allowed === target);
}

test('A55: the map agrees with a model for every type and target [PERM-1]', () => {
  const anyMap = fc.dictionary(
    fc.constantFrom(...types, '__proto__', 'constructor'),
    fc.array(fc.constantFrom(...targets), { maxLength: 3 }),
  );
  fc.assert(
    fc.property(anyMap, fc.constantFrom(...types, 'toString'), fc.constantFrom(...targets), (map, type, target) => {
      expect(isAllowed(createPermissionMap(map), type, target)).toBe(model(map, type, target));
    }),
    { numRuns: 2_000 },
  );
});

test('A55: a name is matched whole: no prefix, no pattern, no case folding', () => {
  const map = createPermissionMap({ MESSAGE: ['t-1'] });
  const allowed = targets.filter((target) => isAllowed(map, 'MESSAGE', target));
  expect(allowed).toEqual(['t-1']);
  expect(targets.filter((target) => isAllowed(createPermissionMap({ MESSAGE: ['t-*'] }), 'MESSAGE', target))).toEqual([
    't-*',
  ]);
});

test('A55: the wildcard allows everything and is asked for by nobody', () => {
  const map = createPermissionMap({ MESSAGE: ['*'] });
  expect(targets.every((target) => isAllowed(map, 'MESSAGE', target))).toBe(true);
  expect(isAllowed(createPermissionMap({ MESSAGE: ['t-1'] }), 'MESSAGE', '*')).toBe(false);
});

test('A55: no id and no type meets a prototype', () => {
  const map = createPermissionMap({ MESSAGE: [] });
  for (const word of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    expect(isAllowed(map, 'MESSAGE', word)).toBe(false);
    expect(isAllowed(map, word, 't-1')).toBe(false);
  }
  const own = JSON.parse('{"__proto__":["t-1"]}') as Record<string, string[]>;
  expect(isAllowed(createPermissionMap(own), '__proto__', 't-1')).toBe(true);
  expect(isAllowed(createPermissionMap(own), 'MESSAGE', 't-1')).toBe(false);
});

describe('what the map covers', () => {
  test('HAI, PING and PONG are always allowed, TRANSACTION_START unless tools are named [PERM-2]', () => {
    const none = createPermissionMap({});
    for (const type of ['HAI', 'PING', 'PONG', 'TRANSACTION_START']) expect(isAllowed(none, type, 'echo')).toBe(true);
    const named = createPermissionMap({ TRANSACTION_START: ['echo'] });
    expect(isAllowed(named, 'TRANSACTION_START', 'echo')).toBe(true);
    expect(isAllowed(named, 'TRANSACTION_START', 'other')).toBe(false);
    expect(isAllowed(createPermissionMap({ TRANSACTION_START: [] }), 'TRANSACTION_START', 'echo')).toBe(false);
  });

  test('MESSAGE covers its stream and neither AUDIO nor MESSAGE_UPDATE [PERM-3]', () => {
    const map = createPermissionMap({ MESSAGE: ['*'] });
    const covered = types.filter((type) => isAllowed(map, type, 't-1'));
    expect(covered).toEqual([
      'MESSAGE',
      'MESSAGE_START',
      'MESSAGE_PART',
      'MESSAGE_END',
      'TRANSACTION_START',
      'HAI',
      'PING',
    ]);
    expect(isAllowed(createPermissionMap({ MESSAGE_PART: ['*'] }), 'MESSAGE_PART', 't-1')).toBe(false);
  });

  test('changing the lists afterwards changes no right', () => {
    const list = ['t-1'];
    const map = createPermissionMap({ MESSAGE: list });
    list.push('t-2');
    expect(isAllowed(map, 'MESSAGE', 't-2')).toBe(false);
  });

  test.each([
    ['a string', 't-1'],
    ['null', null],
    ['numbers', [1]],
    ['an object', { 0: 't-1' }],
  ])('a right that is %s instead of a list of strings is refused by name', (_shape, value) => {
    expect(() => createPermissionMap({ MESSAGE: value as never })).toThrow(/permissions\.MESSAGE: expected a list/);
  });
});

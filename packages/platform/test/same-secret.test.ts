import { describe, expect, test } from 'vitest';
import { isSameSecret } from '../src/index.ts';

describe('A46: a secret', () => {
  test('A46: is the one with the same characters', () => {
    expect(isSameSecret('Bearer TOKEN', 'Bearer TOKEN')).toBe(true);
  });

  test.each(['', 'Bearer TOKE', 'Bearer TOKEN ', 'bearer TOKEN', 'Bearer TOKENBearer TOKEN', '\0'.repeat(12)])(
    'A46: is not %j',
    (given) => expect(isSameSecret(given, 'Bearer TOKEN')).toBe(false),
  );

  test.each([undefined, null, 0, [], ['Bearer TOKEN'], { length: 12 }])(
    'A46: is nothing but a string: not %j',
    (given) => expect(isSameSecret(given, 'Bearer TOKEN')).toBe(false),
  );

  test('A46: is never empty', () => {
    expect(isSameSecret('', '')).toBe(false);
    expect(isSameSecret(undefined, '')).toBe(false);
  });

  test('A46: is looked at to its last character, however early the two differ', () => {
    const looked: number[] = [];
    const secret = Object.assign(new String('abcdef'), {
      charCodeAt(at: number) {
        looked.push(at);
        return 'abcdef'.charCodeAt(at);
      },
    });
    isSameSecret('xbcdef', secret as unknown as string);
    isSameSecret('', secret as unknown as string);
    expect(looked).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
  });
});

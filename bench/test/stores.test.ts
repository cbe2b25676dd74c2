import { expect, test } from 'vitest';
import { expectFigures } from './store-figures.ts';

test.each(['memory', 'sqlite'])(
  'appends, tokens, replays and bytes are told of the store %s and of a bare loop',
  (store) => expectFigures(store),
);

test('a store that is not there is told with those that are', async () => {
  await expect(expectFigures('paper')).rejects.toThrow(/expected one of memory, .*sqlite, got "paper"/);
});

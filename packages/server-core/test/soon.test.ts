import { expect, test } from 'vitest';
import { soon, work } from '../src/soon.ts';

test('what a piece of work leaves for soon is done before it is over, and what that leaves, too', () => {
  const done: string[] = [];
  work(
    done,
    (list, name) => {
      soon(() => {
        list.push('left');
        soon(() => list.push('left by that'));
      });
      list.push(name);
    },
    'the work',
  );
  expect(done).toEqual(['the work', 'left', 'left by that']);
});

test('without work at hand it is done once promises have run, in order', async () => {
  const done: number[] = [];
  soon(() => done.push(1));
  soon(() => done.push(2));
  expect(done).toEqual([]);
  await undefined;
  expect(done).toEqual([1, 2]);
});

test('a piece of work that throws loses nothing of what it left, and no job is done twice', async () => {
  const done: string[] = [];
  const broken = (): never => {
    throw new Error('broken');
  };
  const piece = (list: string[]): void => {
    soon(() => list.push('one'));
    soon(broken);
    soon(() => list.push('two'));
  };
  expect(() => work(done, piece, undefined)).toThrow('broken');
  await undefined;
  expect(done).toEqual(['one', 'two']);
  expect(() => work(done, broken, undefined)).toThrow('broken');
  soon(() => done.push('three'));
  await undefined;
  expect(done).toEqual(['one', 'two', 'three']);
});

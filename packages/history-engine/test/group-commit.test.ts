import { expect, test } from 'vitest';
import { GroupCommit } from '../src/group-commit.ts';

/** A commit that a test lets through, group by group. */
function held() {
  const groups: { works: readonly string[]; done: PromiseWithResolvers<readonly string[]> }[] = [];
  let arrived = Promise.withResolvers<void>();
  const commits = new GroupCommit<string, string>({
    commit(works) {
      const done = Promise.withResolvers<readonly string[]>();
      groups.push({ works, done });
      arrived.resolve();
      return done.promise;
    },
    mayBeOfOne: (error) => error === 'bad work',
    sizeOf: (work) => (work.startsWith('large') ? 3 * 2 ** 20 : work.length),
  });
  return {
    commits,
    /** The next group there is, or will be. */
    async next() {
      while (groups.length === 0) await arrived.promise;
      arrived = Promise.withResolvers();
      const { works, done } = groups.shift() as (typeof groups)[number];
      return {
        works,
        commit: () => done.resolve(works.map((work) => `${work} is done`)),
        fail: (error: unknown) => done.reject(error),
      };
    },
  };
}

test('what is asked while a commit is underway goes with the next one, in order, each with its own answer', async () => {
  const { commits, next } = held();
  const first = [commits.add('a'), commits.add('b')];
  const one = await next();
  expect(one.works).toEqual(['a', 'b']);
  const rest = ['c', 'd', 'e'].map((work) => commits.add(work));
  one.commit();
  expect(await Promise.all(first)).toEqual(['a is done', 'b is done']);
  const two = await next();
  expect(two.works).toEqual(['c', 'd', 'e']);
  two.commit();
  expect(await Promise.all(rest)).toEqual(['c is done', 'd is done', 'e is done']);
  await commits.idle();
});

test('a group ends at so many works, and after so many bytes', async () => {
  const { commits, next } = held();
  const many = Array.from({ length: 1500 }, (_, i) => commits.add(String(i)));
  const one = await next();
  expect(one.works).toHaveLength(1024);
  one.commit();
  const two = await next();
  expect(two.works).toHaveLength(476);
  const large = ['large 1', 'large 2', 'large 3'].map((work) => commits.add(work));
  two.commit();
  const three = await next();
  expect(three.works).toEqual(['large 1', 'large 2']);
  three.commit();
  (await next()).commit();
  expect(await Promise.all([...many, ...large])).toHaveLength(1503);
});

test('a work at fault fails alone; a database at fault fails all of its group and nothing behind it', async () => {
  const { commits, next } = held();
  const settled = Promise.allSettled(['a', 'bad', 'c'].map((work) => commits.add(work)));
  (await next()).fail('bad work');
  for (const work of ['a', 'bad', 'c']) {
    const alone = await next();
    expect(alone.works).toEqual([work]);
    if (work === 'bad') alone.fail('bad work');
    else alone.commit();
  }
  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);

  const down = Promise.allSettled([commits.add('d'), commits.add('e')]);
  const group = await next();
  const after = commits.add('f');
  group.fail('no disk');
  expect((await down).map((result) => result.status === 'rejected' && result.reason)).toEqual(['no disk', 'no disk']);
  (await next()).commit();
  expect(await after).toBe('f is done');
});

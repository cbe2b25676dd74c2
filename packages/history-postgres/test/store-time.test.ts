import { fakeClock } from '@haip/testing';
import { expect, test } from 'vitest';
import { BEAT_MS, type Beat, StoreTime } from '../src/store-time.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Stores of one schema, each with a steady clock of its own, and the database with its wall clock. */
function deployment() {
  const wall = fakeClock();
  const start = wall.now();
  let beat: Beat = { storeAt: start, wallAt: start, by: '' };
  return {
    wall,
    start,
    open(name: string, steady = fakeClock()) {
      const time = new StoreTime(name, () => steady.monotonic());
      beat = time.begin(beat, wall.now());
      return {
        since: () => time.now() - start,
        beat() {
          beat = time.next(beat, wall.now());
        },
        /** Time passes here, beats included. The wall clock goes on by itself. */
        async live(ms: number) {
          for (let left = ms; left > 0; left -= BEAT_MS) {
            await steady.advance(Math.min(left, BEAT_MS));
            await wall.advance(Math.min(left, BEAT_MS));
            this.beat();
          }
        },
      };
    },
  };
}

test('F38: while somebody is there, a wall clock that jumps moves nothing, forth or back', async () => {
  const { wall, open } = deployment();
  const store = open('one');
  await store.live(MINUTE);
  wall.jumpWall(DAY);
  await store.live(MINUTE);
  wall.jumpWall(-2 * DAY);
  await store.live(MINUTE);
  expect(store.since()).toBe(3 * MINUTE);
});

test('F38: a store opened right after a jump, before anybody saw it, is at most a minute ahead, and the others follow', async () => {
  const { wall, open } = deployment();
  const one = open('one');
  await one.live(MINUTE);
  wall.jumpWall(DAY);
  const two = open('two');
  expect(two.since()).toBe(2 * MINUTE);
  one.beat();
  expect(one.since()).toBe(2 * MINUTE);
  for (let beats = 0; beats < 5; beats++) {
    two.beat();
    one.beat();
  }
  expect([one.since(), two.since()]).toEqual([2 * MINUTE, 2 * MINUTE]);
});

test('stores have one time, however long each of them runs', async () => {
  const { open } = deployment();
  const one = open('one');
  await one.live(10 * MINUTE);
  const two = open('two');
  expect(two.since()).toBe(one.since());
});

test('a process that was put to sleep goes on where the others are', async () => {
  const { open } = deployment();
  const [one, sleeper] = [open('one'), open('two')];
  await one.live(10 * MINUTE);
  sleeper.beat();
  expect(sleeper.since()).toBe(10 * MINUTE);
});

test('time goes on over a restart by the wall clock, never backwards', async () => {
  const { wall, open } = deployment();
  await open('one').live(MINUTE);
  await wall.advance(30_000);
  const two = open('two');
  expect(two.since()).toBe(MINUTE + 30_000);
  wall.jumpWall(-DAY);
  expect(open('three').since()).toBe(MINUTE + 30_000);
});

test('a time when nobody was there counts in full, once it is clear that nobody was', async () => {
  const { wall, open } = deployment();
  await open('one').live(MINUTE);
  await wall.advance(DAY);
  const two = open('two');
  expect(two.since()).toBe(2 * MINUTE);
  await two.live(2 * BEAT_MS);
  expect(two.since()).toBe(MINUTE + DAY + 2 * BEAT_MS);
  await two.live(10 * BEAT_MS);
  expect(two.since()).toBe(MINUTE + DAY + 12 * BEAT_MS);
});

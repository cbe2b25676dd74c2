// The client's POSTs alone, against answers that a test gives, on a clock that stands still.

import { expect, onTestFinished, test, vi } from 'vitest';
import { ClientPosts } from '../src/client-posts.ts';

type Answer = { status: number; body?: string; retryAfter?: string } | Error;

/** Posts whose answers are given one after the other; then every line is taken. */
function setUp(...answers: Answer[]) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const posted: string[] = [];
  const refusals: number[] = [];
  const posts = new ClientPosts({
    async post(body) {
      posted.push(body);
      const taken = body ? body.split('\n').length : 0;
      const answer = answers.shift() ?? { status: 202, body: JSON.stringify({ taken }) };
      if (answer instanceof Error) throw answer;
      const headers: Record<string, string> = answer.retryAfter ? { 'retry-after': answer.retryAfter } : {};
      return new Response(answer.body ?? '', { status: answer.status, headers });
    },
    refused: (status) => refusals.push(status),
  });
  posts.isOpen = true;
  return { posts, posted, refusals };
}

test('lines of one turn go in one POST, and what comes while it is out in the next', async () => {
  const { posts, posted } = setUp();
  posts.add('a');
  posts.add('b');
  await Promise.resolve();
  posts.add('c');
  posts.add('d');
  await vi.runAllTimersAsync();
  expect(posted).toEqual(['a\nb', 'c\nd']);
});

test.each([[new Error('cut')], [{ status: 502 }], [{ status: 408 }], [{ status: 409, body: '{"expected":"1"}' }]])(
  'F11: after %j the same lines go again, later each time',
  async (failure) => {
    const { posts, posted, refusals } = setUp(failure, failure);
    posts.add('a');
    await vi.advanceTimersByTimeAsync(99);
    expect(posted).toEqual(['a']);
    posts.add('b');
    await vi.advanceTimersByTimeAsync(1);
    expect(posted).toEqual(['a', 'a\nb']);
    await vi.advanceTimersByTimeAsync(199);
    expect(posted).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(posted).toEqual(['a', 'a\nb', 'a\nb']);
    await vi.runAllTimersAsync();
    expect([posted.length, refusals]).toEqual([3, []]);
  },
);

test('a server that asks for time gets it', async () => {
  const { posts, posted } = setUp({ status: 429, retryAfter: '3' });
  posts.add('a');
  await vi.advanceTimersByTimeAsync(2999);
  expect(posted).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(posted).toEqual(['a', 'a']);
});

test('a line that was refused does not go again, those behind it do', async () => {
  const { posts, posted } = setUp({ status: 400, body: '{"taken":1,"expected":"JSON"}' });
  for (const line of ['a', 'bad', 'c', 'd']) posts.add(line);
  await vi.runAllTimersAsync();
  expect(posted).toEqual(['a\nbad\nc\nd', 'c\nd']);
});

test.each([401, 404, 405, 413, 415])('after %i nothing is sent any more', async (status) => {
  const { posts, posted, refusals } = setUp({ status });
  posts.add('a');
  await vi.runAllTimersAsync();
  posts.add('b');
  await vi.runAllTimersAsync();
  expect(posted).toEqual(['a']);
  expect(refusals).toEqual([status]);
});

test('what never succeeds is given up after seven times', async () => {
  const { posts, posted, refusals } = setUp(...Array.from({ length: 20 }, () => new Error('down')));
  posts.add('a');
  await vi.runAllTimersAsync();
  expect(posted).toHaveLength(7);
  expect(refusals).toEqual([0]);
});

test('a batch stays below what a server takes, a line alone may be longer', async () => {
  const { posts, posted } = setUp();
  const sizes = [200_000, 60_000, 60_000, 300_000, 10];
  for (const size of sizes) posts.add('x'.repeat(size));
  await vi.runAllTimersAsync();
  expect(posted.map((body) => body.split('\n').map(({ length }) => length))).toEqual([
    [200_000, 60_000],
    [60_000],
    [300_000],
    [10],
  ]);
});

test('who adds too much is asked to wait until it is taken, or nothing is taken any more', async () => {
  const { posts } = setUp();
  expect(posts.add('x'.repeat(65_535))).toBeUndefined();
  const waiting = posts.add('x');
  expect(waiting).toBeInstanceOf(Promise);
  expect(posts.add('x')).toBe(waiting);
  await vi.runAllTimersAsync();
  await waiting;
  expect(posts.add('x')).toBeUndefined();
  posts.isOpen = false;
  const never = posts.add('x'.repeat(70_000));
  posts.stop();
  await never;
});

test('a sign of life is an empty POST, unless there is something to say', async () => {
  const { posts, posted } = setUp();
  posts.probe();
  await vi.runAllTimersAsync();
  expect(posted).toEqual(['']);
  posts.probe();
  posts.add('a');
  await vi.runAllTimersAsync();
  expect(posted).toEqual(['', 'a']);
});

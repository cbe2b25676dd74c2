import { test } from 'vitest';
import { expectNothingLost } from './nothing-lost.ts';

test(
  'F21, F23: over postgres a server killed 50 times in mid-answer loses, repeats and leaves open nothing',
  {
    // Each of 18,000 words waits for its commit: on a busy disk that takes ten minutes.
    timeout: 1_200_000,
  },
  () => expectNothingLost('postgres'),
);

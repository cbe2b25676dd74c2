import { test } from 'vitest';
import { expectNothingLost } from './nothing-lost.ts';

test(
  'F21, F23: over nats a server killed 50 times in mid-answer loses, repeats and leaves open nothing',
  {
    timeout: 600_000,
  },
  () => expectNothingLost('nats'),
);

import { test } from 'vitest';
import { rollOut } from './rolling-restart.ts';

test('F24: a rolling restart of two nodes under load loses nothing and repeats nothing, over all three transports', () =>
  rollOut(30));

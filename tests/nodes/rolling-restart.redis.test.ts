import { onTestFinished, test } from 'vitest';
import { durableStores } from '../durable-stores.ts';
import { rollOut } from './rolling-restart.ts';

test('F24: a rolling restart of two nodes over Redis under 200 people loses nothing and repeats nothing', {
  timeout: 240_000,
}, async () => {
  const { place, open, clear } = durableStores.redis;
  const where = place();
  onTestFinished(() => clear(where));
  await rollOut(200, () => open(where));
});

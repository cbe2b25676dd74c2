// Sets a reminder, if people allow it, as a call that they can follow. Pretended: it takes its time and does nothing.

import type { Clock, Turn } from '@haip/protocol';
import { wait } from './pace.ts';

const steps = 8;
const stepMs = 200;

/** Asks, and sets it. Resolves with whether it was allowed. */
export async function setReminder(turn: Turn, clock: Clock, reminder: string): Promise<boolean> {
  const call = await turn.call('set_reminder', { reminder });
  const isAllowed = await call.ask(`Set a reminder ${reminder}?`);
  for (let step = 0; isAllowed && step < steps; step++) {
    await call.progress(step / steps);
    await wait(clock, stepMs, call.signal);
  }
  await call.done();
  return isAllowed;
}

import { setTimeout as pause } from 'node:timers/promises';

/** Asks until the answer is yes, or what it throws no more: for what another process does in its own time. */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  let reason: unknown;
  for (const end = performance.now() + withinMs; performance.now() < end; ) {
    try {
      if (await ask()) return;
      reason = undefined;
    } catch (error) {
      reason = error;
    }
    await pause(10);
  }
  throw new Error(`${what}: not within ${withinMs} ms`, { cause: reason });
}

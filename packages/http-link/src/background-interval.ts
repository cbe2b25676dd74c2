/** Calls `tick` every `ms`. It keeps no process alive where the platform lets us say so. */
export function backgroundInterval(tick: () => void, ms: number): ReturnType<typeof setInterval> {
  const timer = setInterval(tick, ms);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

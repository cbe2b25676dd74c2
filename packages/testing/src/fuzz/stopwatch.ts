/**
 * Tells how long ago it was started, in ms: by the wall, or by what this process has computed since, if that is less. A
 * machine that is busy with something else makes no input slow.
 */
export function stopwatch(): () => number {
  const begun = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return Math.min(performance.now() - begun, (user + system) / 1000);
  };
}

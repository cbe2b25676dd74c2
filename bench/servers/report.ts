// How a server process under measurement tells its cost to whoever started it.

/** What a server says of itself when asked. CPU in microseconds of user and system time since its start, memory in bytes. */
export interface Cost {
  readonly cpuMicros: number;
  readonly memoryBytes: number;
}

/** Says the port, then answers each `cost` with what the process has used so far. Memory is what the system says, after a collection. */
export function report(port: number): void {
  process.on('message', (message) => {
    if (message === 'end') process.exit(0);
    if (message === 'collect') globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicros: user + system, memoryBytes: process.memoryUsage.rss() } satisfies Cost);
  });
  // Whoever started it is gone.
  process.on('disconnect', () => process.exit(1));
  process.send?.({ port });
}

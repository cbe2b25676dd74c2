import type { Logger } from '@haip/protocol';

/** What a logger throws, or an async one rejects with, must not become what it was to tell of: there is nowhere left to tell it. */
export function harmless(logger: Logger): Logger {
  const log = async (...line: Parameters<Logger>): Promise<void> => logger(...line);
  return (...line) => void log(...line).catch(() => {});
}

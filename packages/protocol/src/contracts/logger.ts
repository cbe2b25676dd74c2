export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Takes log lines. `event` is a fixed word; `fields` hold ids, codes and counts, and under `error` what user code
 * threw. Never payloads, credentials or upstream addresses. Must not throw.
 */
export type Logger = (level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>) => void;

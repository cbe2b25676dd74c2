import type { Logger, LogLevel } from '@haip/protocol';

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  return typeof value === 'bigint' ? String(value) : value;
}

/** Writes one JSON object a line to the console, from `lowest` on. Default: `warn`. */
export function consoleLogger(lowest: LogLevel = 'warn'): Logger {
  return (level, event, fields = {}) => {
    if (order.indexOf(level) < order.indexOf(lowest)) return;
    console[level](JSON.stringify({ level, event, ...fields }, plain));
  };
}

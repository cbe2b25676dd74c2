// Log lines on the console. One JSON object a line whatever the fields hold: ids and error texts come from outside,
// and must neither break a line nor move a terminal's cursor. Never throws.

import type { Logger, LogLevel } from '@haip/protocol';

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const LONGEST_TEXT = 4_096;

/** JSON.stringify escapes the controls below 0x20 and leaves these: DEL, the C1 set with its own CSI, two line ends. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

function asEscape(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error)
    return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
  if (typeof value === 'string' && value.length > LONGEST_TEXT) return `${value.slice(0, LONGEST_TEXT)}…`;
  return typeof value === 'bigint' ? String(value) : value;
}

function lineOf(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): string {
  let text: string;
  try {
    text = JSON.stringify({ ...fields, level, event }, plain);
  } catch {
    // A circular value, or user code in a toJSON: the event is worth more than its fields.
    text = JSON.stringify({ level, event, fields: 'not writable as JSON' });
  }
  return text.replace(CONTROLS, asEscape);
}

/** Writes one JSON object a line to the console, from `lowest` on. Default: `warn`. Texts are cut at 4,096 characters. */
export function consoleLogger(lowest: LogLevel = 'warn'): Logger {
  return (level, event, fields = {}) => {
    if (order.indexOf(level) < order.indexOf(lowest)) return;
    console[level](lineOf(level, event, fields));
  };
}

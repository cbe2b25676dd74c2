import type { Logger } from '@haip/protocol';

/** Warnings and errors to the console, fields as an object: for a browser's, which shows it so that it can be opened. */
export const consoleWarnings: Logger = (level, event, fields) => {
  if (level === 'warn' || level === 'error') console[level](event, fields);
};

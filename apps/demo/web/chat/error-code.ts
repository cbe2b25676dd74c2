import { ConnectionEndedError } from '@haip/client-core';

/** Why something ended: an error's code, and a word of the page's own for a tab that was duplicated. */
export function codeOf(error: unknown): string {
  if (error instanceof ConnectionEndedError && error.closeCode === 4409) return 'superseded';
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
}

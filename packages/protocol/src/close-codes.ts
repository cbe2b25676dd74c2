/**
 * Why a connection ended and what the client does next. Spec: §6.
 *
 * `resume`: dial again with the session's token. `anew`: dial again as a new session; what was not settled is given
 * back to the application as unknown, since it may be what the peer choked on. `stop`: stay away until told otherwise.
 */
export const closeCodes = {
  1000: { name: 'normal', next: 'stop' },
  1001: { name: 'going away', next: 'resume' },
  1002: { name: 'protocol error', next: 'anew' },
  1003: { name: 'unsupported data', next: 'anew' },
  1006: { name: 'cut', next: 'resume' },
  1007: { name: 'invalid UTF-8', next: 'anew' },
  1008: { name: 'authentication or policy', next: 'stop' },
  1009: { name: 'too large', next: 'anew' },
  1011: { name: 'server fault', next: 'resume' },
  1012: { name: 'restart', next: 'resume' },
  1013: { name: 'overloaded', next: 'resume' },
  4008: { name: 'not draining', next: 'resume' },
  4408: { name: 'no HAI in time', next: 'resume' },
  4409: { name: 'superseded', next: 'stop' },
  4429: { name: 'too many', next: 'resume' },
} as const satisfies Record<number, { name: string; next: 'resume' | 'anew' | 'stop' }>;

export type CloseCode = keyof typeof closeCodes;

// Reads from an error of ws how the connection ends. Pure. Spec: RFC 6455 §7.4.

import type { ConnectionEnd } from '@haip/protocol';

const closeCodeByError: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
};

/** The close code that ws writes for what it could not read; 1006 for a link that broke or never opened. */
export function failureOf(error: Error & { readonly code?: unknown }): ConnectionEnd {
  const name = typeof error.code === 'string' ? error.code : '';
  const code = closeCodeByError[name] ?? (name.startsWith('WS_ERR_') ? 1002 : 1006);
  return { code, reason: error.message || name };
}

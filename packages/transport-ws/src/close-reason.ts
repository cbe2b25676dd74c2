// What a WebSocket close can say beside its code: at most 123 bytes of text. The delay before the next attempt has no
// field of its own there, so it travels at the head of the reason. Pure. Spec: RFC 6455 §5.5, §7.

import type { ConnectionEnd } from '@haip/protocol';

const longestReason = 123;
const delay = /^retry-after-ms=(\d{1,9})(?: |$)/;

/** The reason as it is written: the delay in front, if there is one; cut between characters where it would be too long. */
export function writeCloseReason(reason: string, retryAfterMs?: number): string {
  const text = retryAfterMs === undefined ? reason : `retry-after-ms=${Math.round(retryAfterMs)} ${reason}`;
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(longestReason)).read);
}

/** The end as the peer told it, its delay taken out of the reason. */
export function readClose(code: number, text: string): ConnectionEnd {
  const found = delay.exec(text);
  if (!found) return { code, reason: text };
  return { code, reason: text.slice(found[0].length), retryAfterMs: Number(found[1]) };
}

// UUID v4 (RFC 9562 §5.4) wherever there is no Node. Short, since every page loads it; `crypto.randomUUID` would be
// shorter, and is missing on pages over plain http.

import type { Ids } from '@haip/protocol';

/** UUID v4. */
export const uuid: Ids = () => {
  // The version is 4, the variant 10xx; its other two bits are fixed here too, which leaves 120 random ones.
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(30)), (byte) => (byte & 15).toString(16));
  return digits.join('').replace(/^(.{8})(.{4})(.{3})(.{3})/, '$1-$2-4$3-a$4-');
};

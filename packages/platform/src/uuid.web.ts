// UUID v4 (RFC 9562 §5.4) wherever there is no Node. Short, since every page loads it; `crypto.randomUUID` would be
// shorter, and is missing on pages over plain http.

import type { Ids } from '@haip/protocol';

/** UUID v4. */
export const uuid: Ids = () => {
  // The version is 4, the variant 10xx; its other two bits are fixed here too, which leaves 120 random ones.
  const bytes = crypto.getRandomValues(new Uint8Array(36));
  return 'xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx'.replace(/x/g, (_, at: number) =>
    ((bytes[at] as number) & 15).toString(16),
  );
};

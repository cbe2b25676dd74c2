// Signs that a page, and the machine under it, are awake again: timers of a page in the background, or of a machine
// that slept, come late.

import type { Wake } from '@haip/protocol';

export const wakeSignals: Wake = (woken) => {
  const seen = () => {
    if (document.visibilityState === 'visible') woken();
  };
  const stop = new AbortController();
  const { signal } = stop;
  // It bubbles up from the document. Runtimes that are no browser have neither signal, some not even the function.
  globalThis.addEventListener?.('visibilitychange', seen, { signal });
  globalThis.addEventListener?.('online', woken, { signal });
  return () => stop.abort();
};

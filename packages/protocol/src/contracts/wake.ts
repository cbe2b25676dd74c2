/**
 * Tells when waiting may have become pointless: a machine woke, a page is seen again, a network is back. Calls `woken`
 * each time until the function it gives is called.
 */
export type Wake = (woken: () => void) => () => void;

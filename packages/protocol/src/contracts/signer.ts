/**
 * Makes and checks the secrets that any node with the same key can check without a store: resume tokens.
 * May answer at once or later.
 */
export interface Signer {
  /** A keyed digest of `text`, at least 128 bits, as base64url. */
  sign(text: string): string | Promise<string>;
  /** True when `mac` is the digest of `text`; takes equally long wherever the two differ. */
  verify(text: string, mac: string): boolean | Promise<boolean>;
}

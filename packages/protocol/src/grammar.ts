// The words an envelope is made of: ids, decimal strings, channel names, mime types.
// Linear patterns only; a length is checked before anything that costs by length. Spec: §1.

export const ID = /^[\w.:-]{1,128}$/;
const CHANNEL = /^[\w-]{1,128}$/;
export const DECIMAL = /^(?:0|[1-9][0-9]{0,19})$/;
export const MIME = /^[\w!#$&^.+-]{1,64}\/[\w!#$&^.+-]{1,64}(?:;[ ]?[\w.+-]{1,32}=[\w.+-]{1,64}){0,4}$/;
const HIGHEST = '18446744073709551615';

/** True for an id as the wire has it: 1–128 characters of `A-Z a-z 0-9 _ . : -`. The wildcard `*` is none. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 128 && ID.test(value);
}

/** True for a channel name: 1–128 characters of `A-Z a-z 0-9 _ -`. */
export function isChannel(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 128 && CHANNEL.test(value);
}

/** True for a media type without line breaks or quotes, with at most four plain parameters. */
export function isMime(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 256 && MIME.test(value);
}

/** True for `0` or digits that do not begin with 0, up to 2^64−1. */
export function isDecimal(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 20 || !DECIMAL.test(value)) return false;
  return value.length < 20 || value <= HIGHEST;
}

/**
 * The number a decimal string stands for. Past 2^53−1 it is `Infinity`: no log of ours gets there, so every
 * comparison then says "too high", which is the right answer. The string must have passed {@link isDecimal}.
 */
export function readDecimal(text: string): number {
  const value = Number(text);
  return value <= Number.MAX_SAFE_INTEGER ? value : Number.POSITIVE_INFINITY;
}

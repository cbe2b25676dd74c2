// Walks JSON text once before it is parsed and refuses what would be dear to parse or to write again: deep nesting,
// objects with very many keys. Notes where a number might be beyond a double, which is then
// looked at, and how much of the text is one string. Finds strings of the outermost object in text that is never parsed. Never
// judges whether it is valid JSON; JSON.parse does. Spec: §1, limits.

/**
 * What the walk found: a reason to refuse, or how many keys the outermost object spells out, whether some number may be one
 * that JSON.parse reads as infinite, and how long the longest string is, between its quotes.
 */
export type ScanResult =
  | { readonly ok: true; readonly topLevelKeys: number; readonly mayOverflow: boolean; readonly longestString: number }
  | { readonly ok: false; readonly expected: string; readonly got: string };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const LOWER_E = 0x65;
/** The greatest double has so many digits before its point. */
const MOST_DIGITS = 308;

/** Index of the quote that ends the string which begins at `start`, or the text's length. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/**
 * The duplicate-key check rides on the count: JSON.parse keeps one of two equal keys, so an envelope whose parsed
 * object has fewer keys than were spelled out had a duplicate, however the two were escaped.
 */
export function scanJson(text: string, maxDepth: number, maxKeys: number): ScanResult {
  const keysAt: number[] = [0];
  let depth = 0;
  let topLevelKeys = 0;
  let digits = 0;
  let mayOverflow = false;
  let longestString = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      const end = endOfString(text, i);
      longestString = Math.max(longestString, end - i - 1);
      i = end;
    } else if (c === COLON) {
      const keys = (keysAt[depth] ?? 0) + 1;
      if (keys > maxKeys) return { ok: false, expected: `at most ${maxKeys} keys in an object`, got: 'more' };
      keysAt[depth] = keys;
      if (depth === 1) topLevelKeys = keys;
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      depth++;
      if (depth > maxDepth) return { ok: false, expected: `at most ${maxDepth} levels of nesting`, got: 'more' };
      keysAt[depth] = 0;
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      if (depth > 0) depth--;
    } else if (c >= ZERO && c <= NINE) {
      if (++digits > MOST_DIGITS) mayOverflow = true;
    } else {
      // An exponent stands right behind digits; the e of true and false does not.
      if (digits > 0 && (c === LOWER_E || c === UPPER_E)) mayOverflow = true;
      digits = 0;
    }
  }
  return { ok: true, topLevelKeys, mayOverflow, longestString };
}

/**
 * The strings that the outermost object has under these keys, of text that is not parsed. As spelled out: none of either has
 * an escape undone.
 */
export function outermostStrings(text: string, keys: readonly string[]): { readonly [key: string]: string } {
  const found: { [key: string]: string } = {};
  let depth = 0;
  let before = '';
  let key: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      const end = endOfString(text, i);
      if (depth === 1) {
        before = text.slice(i + 1, end);
        if (key !== undefined && keys.includes(key)) found[key] = before;
      }
      i = end;
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      depth++;
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      depth--;
    } else if (depth === 1 && (c === COLON || c === COMMA)) {
      key = c === COLON ? before : undefined;
    }
  }
  return found;
}

// Cuts JSON text into its tokens: strings, marks, and whatever else stands between them. In one pass, whatever the text.

const marks = '{}[]:,';
const blanks = ' \t\r\n';

/** The index behind the string that begins at `at`; the text's length when it does not end. */
function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

/** The index behind a number, a word, or what else is neither mark, blank nor string. */
function endOfWord(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && !`${marks}${blanks}"`.includes(text[end] as string)) end++;
  return end;
}

/** The tokens, in order and without blanks. */
export function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < text.length; ) {
    const first = text[at] as string;
    let end = at + 1;
    if (first === '"') end = endOfString(text, at);
    else if (!marks.includes(first) && !blanks.includes(first)) end = endOfWord(text, at);
    if (!blanks.includes(first)) tokens.push(text.slice(at, end));
    at = end;
  }
  return tokens;
}

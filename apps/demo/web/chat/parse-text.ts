// Reads the little formatting that is shown: paragraphs, lists, `code`, fenced code, **bold**. Gives plain values, no
// markup; whatever it does not know stays text. Never makes links, images or HTML.

export type Inline =
  | { readonly kind: 'text' | 'code' | 'bold'; readonly text: string }
  /** The place where the connection was cut. */
  | { readonly kind: 'seam' };

export type Block =
  | { readonly kind: 'paragraph'; readonly lines: readonly (readonly Inline[])[] }
  | { readonly kind: 'list'; readonly start: number | undefined; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: 'code'; readonly text: string };

/** Stands for a seam inside a text; from the private use area, and taken out of what people write. */
const seamMark = '\uE0A1';

const inlinePattern = new RegExp(`\`([^\`\\n]+)\`|\\*\\*([^*\\n]+)\\*\\*|${seamMark}`, 'g');
const itemPattern = /^\s{0,3}(?:[-*•]|(\d{1,4})[.)])\s+(.*)$/;

function parseInline(text: string): Inline[] {
  const inline: Inline[] = [];
  let at = 0;
  for (const match of text.matchAll(inlinePattern)) {
    if (match.index > at) inline.push({ kind: 'text', text: text.slice(at, match.index) });
    const [whole, code, bold] = match;
    if (code !== undefined) inline.push({ kind: 'code', text: code.replaceAll(seamMark, '') });
    else if (bold !== undefined) inline.push({ kind: 'bold', text: bold.replaceAll(seamMark, '') });
    else inline.push({ kind: 'seam' });
    at = match.index + whole.length;
  }
  if (at < text.length) inline.push({ kind: 'text', text: text.slice(at) });
  return inline;
}

function parseBlock(chunk: string): Block[] {
  const blocks: Block[] = [];
  for (const line of chunk.split('\n')) {
    const item = itemPattern.exec(line);
    const last = blocks.at(-1);
    if (item) {
      const content = parseInline(item[2] ?? '');
      const start = item[1] === undefined ? undefined : Number(item[1]);
      if (last?.kind === 'list' && (last.start === undefined) === (start === undefined)) {
        blocks[blocks.length - 1] = { ...last, items: [...last.items, content] };
      } else blocks.push({ kind: 'list', start, items: [content] });
    } else if (last?.kind === 'paragraph') {
      blocks[blocks.length - 1] = { ...last, lines: [...last.lines, parseInline(line)] };
    } else blocks.push({ kind: 'paragraph', lines: [parseInline(line)] });
  }
  return blocks;
}

/** The text with a mark at each offset, for `parseText`. */
function markSeams(text: string, seams: readonly number[]): string {
  const clean = text.replaceAll(seamMark, ' ');
  const offsets = [...new Set(seams)].filter((offset) => offset > 0 && offset < clean.length).sort((a, b) => b - a);
  return offsets.reduce((marked, offset) => marked.slice(0, offset) + seamMark + marked.slice(offset), clean);
}

/** The blocks of a text, with a seam at each of the given offsets. */
export function parseText(text: string, seams: readonly number[] = []): Block[] {
  const parts = markSeams(text, seams).split(/^```[^\n]*\n?/m);
  return parts.flatMap((part, index): Block[] => {
    if (index % 2 === 1) return [{ kind: 'code', text: part.replaceAll(seamMark, '').replace(/\n$/, '') }];
    return part
      .split(/\n[ \t]*\n/)
      .filter((chunk) => chunk.trim() !== '')
      .flatMap((chunk) => parseBlock(chunk.replace(/^\n+|\n+$/g, '')));
  });
}

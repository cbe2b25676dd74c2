// Cuts text that comes in pieces into lines, the same whatever the pieces. Keeps what is not yet a line. Spec: §7.

/** Gives a function that takes pieces of text; `take` gets each whole line without its end (LF, CR LF or CR). */
export function lineReader(take: (line: string) => void, longest: number): (piece: string) => void {
  let pieces: string[] = [];
  let length = 0;
  let endedInReturn = false;
  return (piece) => {
    if (!piece) return;
    // The other half of a line end that was cut in two.
    const text = endedInReturn && piece[0] === '\n' ? piece.slice(1) : piece;
    endedInReturn = piece.endsWith('\r');
    if (length > longest) throw new RangeError('a line is too long');
    pieces.push(text);
    length += text.length;
    // A long line that comes in many pieces is joined once.
    if (!/[\r\n]/.test(text)) return;
    const lines = pieces.join('').split(/\r\n|\n|\r/);
    const rest = lines.pop() as string;
    pieces = [rest];
    length = rest.length;
    lines.forEach(take);
  };
}

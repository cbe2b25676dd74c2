// What a number means: the position rule for what a client reads, the counting rule for what a server reads, and what is a
// range of positions. Pure: judges, never keeps state. Spec: §3, §4.

/**
 * The position rule. A frame covers `from`…`to`; `read` is the last position taken off the wire.
 *
 * `drop`: all of it was taken before. `take`: it begins exactly where reading stopped. `fault`: a hole or an overlap,
 * which ends the connection; the client resumes from `read`.
 */
export function judgePosition(read: number, from: number, to: number): 'take' | 'drop' | 'fault' {
  if (to <= read) return 'drop';
  return from === read + 1 && from <= to ? 'take' : 'fault';
}

/**
 * The counting rule for a connection's own numbers: 1 is its HAI, then 2, 3 …
 *
 * `repeat`: taken before, ignored and acknowledged again. `ahead`: one is missing; nothing is taken.
 */
export function judgeNumber(taken: number, number: number): 'take' | 'repeat' | 'ahead' {
  if (number === taken + 1) return 'take';
  return number <= taken ? 'repeat' : 'ahead';
}

/**
 * The bounds of a replay, as applications give them.
 * @throws RangeError for what is no position.
 */
export function refuseUnlessRange(from: number | undefined, to: number | undefined): void {
  for (const bound of [from, to]) {
    if (bound !== undefined && !(Number.isSafeInteger(bound) && bound > 0))
      throw new RangeError(`from, to: expected a position, 1 or more, got ${bound}`);
  }
}

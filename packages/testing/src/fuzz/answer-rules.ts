// What holds for every answer, whoever gives it: known codes, nothing quoted, nothing of the inside shown.

import { errorCodes, Fault, isDecimal, isId } from '@haip/protocol';
import { canary, secretCanary } from './valid-messages.ts';

/** What stacks and paths have in them, and our own words do not. */
const inside = ['    at ', '.ts:', '.js:', 'node_modules', 'file://', 'node:internal'];
/** Words of ours may be long; what is longer quotes. */
const longestWords = 256;

/** What is wrong with words that go back to a peer; undefined when nothing is. */
export function leakIn(words: string): string | undefined {
  if (words.includes(secretCanary)) return 'credentials';
  if (words.includes(canary)) return 'the text of a payload';
  return inside.some((mark) => words.includes(mark)) ? 'a stack or a path' : undefined;
}

/** What is wrong with a value that should be a {@link Fault}; undefined when nothing is. */
export function faultFlaw(fault: unknown): string | undefined {
  if (!(fault instanceof Fault)) return `${typeof fault} instead of an envelope or a Fault`;
  const { code, expected = '', got = '', relatedId, transaction, seq } = fault;
  if (!Object.hasOwn(errorCodes, code)) return `an unknown code, ${code}`;
  if (typeof expected !== 'string' || typeof got !== 'string') return 'words that are no text';
  if (expected.length > longestWords || got.length > longestWords) return 'words too long to be its own';
  if (relatedId !== undefined && !isId(relatedId)) return 'a related id that is none';
  if (transaction !== null && !isId(transaction)) return 'a transaction that is none';
  if (seq !== undefined && !isDecimal(seq)) return 'a seq that is none';
  const leak = leakIn(`${expected} ${got}`);
  return leak && `${leak} in a fault`;
}

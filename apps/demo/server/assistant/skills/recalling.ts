// Finds what somebody told earlier in their own words: "when does my sister come?" → "My sister comes on Friday".

import { isQuestion } from '../clauses.ts';
import type { Notebook, Skill } from '../notebook.ts';

const silent = new Set(
  `a about again am an and are at be been by can could did do does for from had has have how i i'm in is it me mention my of on or
  our remember said say so tell that the then there they this to told was we were what what's when where which who why will with would
  you your still know happened happen like love`.split(/\s+/),
);

const stem = (word: string): string =>
  word
    .toLowerCase()
    .replace(/'s$/, '')
    .replace(/(?:ing|es|ed|s)$/, '');
const terms = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []).filter((word) => !silent.has(word)).map(stem);

/** The newest statement that has the words of the question that mean something. */
export function findTold({ statements }: Notebook, question: string): string | undefined {
  const wanted = terms(question);
  if (wanted.length === 0) return undefined;
  const [about] = terms(/\b(?:my|our) (\p{L}+)/iu.exec(question)?.[1] ?? '');
  return statements.findLast((told) => {
    const there = terms(told);
    const found = wanted.filter((term) => there.includes(term));
    // Of what is one's own, another verb will do: "when does my sister come?"
    const enough = about !== undefined && found.includes(about) ? wanted.length / 2 : wanted.length;
    return found.length >= enough;
  });
}

export const recalling: Skill = ({ said, notebook }) => {
  const isOwn = /\b(?:i|my|me|we|our)\b/i.test(said) || /\bremember\b/i.test(said) || notebook.thread !== undefined;
  if (!isOwn || !(isQuestion(said) || /^(?:and )?(?:what|how) about\b/i.test(said))) return undefined;
  if (/^what happened(?: to me| today| then)?$/i.test(said) && notebook.thread?.kind === 'trouble')
    return { text: `You told me that ${notebook.thread.what}.` };
  const told = findTold(notebook, said);
  if (told !== undefined) return { text: `You told me: “${told}”.` };
  const asked = /^(?:what (?:is|are|was)|(?:who|where|when)\b.*) my ([\p{L}-]{2,40})\b/iu.exec(said)?.[1];
  return asked ? { text: `You have not told me that of your ${asked.toLowerCase()} yet.` } : undefined;
};

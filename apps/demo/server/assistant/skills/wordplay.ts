// Small tricks with the words themselves: repeat, reverse, spell, count, choose. Chance comes from the words, so that
// the same log gives the same answer.

import type { Question, Skill } from '../notebook.ts';

const unquoted = (text: string): string => text.trim().replace(/^["'“‘](.*)["'”’]$/u, '$1');

/** A number from 0 to size − 1 that depends on all that was asked so far. */
function chance({ notebook, said }: Question, size: number): number {
  let hash = 0x811c9dc5;
  for (const character of [...notebook.asked, said].join('\n')) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return (hash >>> 8) % size;
}

const tricks: readonly (readonly [RegExp, (text: string) => string])[] = [
  [/^(?:repeat after me|repeat|say|echo):? (?!that\b|it\b|again\b)(.+)$/is, unquoted],
  [/^(?:reverse|say backwards?|spell backwards?):? (.+)$/is, (text) => [...unquoted(text)].reverse().join('')],
  [/^spell:? (.+)$/is, (text) => [...unquoted(text).toUpperCase().replaceAll(/\s/g, '')].join(' – ')],
  [/^(?:uppercase|shout|in capitals):? (.+)$/is, (text) => unquoted(text).toUpperCase()],
  [
    /^(?:how many (?:words|letters|characters) (?:are )?(?:in|has)|count the (?:words|letters|characters) (?:in|of)):? (.+)$/is,
    (text) => {
      const words = unquoted(text).split(/\s+/).length;
      const letters = unquoted(text).match(/\p{L}/gu)?.length ?? 0;
      return `${words} ${words === 1 ? 'word' : 'words'} with ${letters} ${letters === 1 ? 'letter' : 'letters'}.`;
    },
  ],
];

export const wordplay: Skill = (question) => {
  const { said } = question;
  for (const [pattern, trick] of tricks) {
    const match = pattern.exec(said);
    if (match?.[1]) return { text: trick(match[1]) };
  }
  if (/\b(?:flip|toss) (?:a|the) coin\b|^heads or tails$/i.test(said))
    return { text: chance(question, 2) ? 'Heads.' : 'Tails.' };
  if (/\b(?:roll|throw) (?:a |the |some )?(?:dice|die)\b/i.test(said)) return { text: `A ${chance(question, 6) + 1}.` };
  const range = /\b(?:random|pick a) number(?: between (\d{1,9}) and (\d{1,9}))?/i.exec(said);
  if (range) {
    const low = Number(range[1] ?? 1);
    const high = Math.max(low, Number(range[2] ?? 100));
    return { text: `${low + chance(question, high - low + 1)}.` };
  }
  const choice = /^(?:choose|pick|decide)(?: between)?:? (.{1,60}?) (?:or|and) (.{1,60})$/i.exec(said);
  return choice
    ? { text: `${choice[1 + chance(question, 2)]}. If that disappoints you, you know what you wanted.` }
    : undefined;
};

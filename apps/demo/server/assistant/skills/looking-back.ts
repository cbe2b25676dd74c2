// Questions about the conversation itself, and going on with an answer that was cut off.

import type { Skill } from '../notebook.ts';

const quote = (text: string): string => `“${text.length > 200 ? `${text.slice(0, 200)}…` : text}”`;

export const continuation: Skill = ({ said, notebook: { planned, given } }) => {
  if (!/^(?:continue|go on|carry on|keep going|finish|and then|proceed|resume)$/i.test(said)) return undefined;
  const wasCut = given.length < planned.length && planned.startsWith(given);
  return wasCut ? { text: planned.slice(given.length).trimStart() } : undefined;
};

export const repetition: Skill = ({ said, notebook: { planned } }) => {
  const again =
    /^(?:(?:say|repeat|tell me) (?:that|it)(?: again| once more)?|repeat|what did you (?:just )?say|what was that|come again|once more)$/i;
  return again.test(said) && planned !== '' ? { text: planned } : undefined;
};

export const lookingBack: Skill = ({ said, notebook: { asked } }) => {
  const first = asked[0];
  const last = asked.at(-1);
  if (/\b(?:what (?:did|have) i|what was my|my) .*\bfirst\b/i.test(said) && !/\bname\b/i.test(said)) {
    return { text: first ? `The first thing you said was ${quote(first)}.` : 'This is the first thing you have said.' };
  }
  if (
    /^what did i (?:just )?(?:say|ask|write)(?: before| last| just now)?$|^what was my (?:last|previous) (?:question|message)$/i.test(
      said,
    )
  ) {
    return { text: last ? `You said ${quote(last)}.` : 'This is the first thing you have said.' };
  }
  if (
    /\b(?:summar(?:y|i[sz]e)|recap|what have we (?:talked|spoken) about|what did we (?:talk|speak) about)\b/i.test(said)
  ) {
    if (!last) return { text: 'We have only just begun.' };
    const shown = asked.slice(-8).map((line) => `- ${quote(line)}`);
    return {
      text: `You wrote ${asked.length} ${asked.length === 1 ? 'message' : 'messages'} before this one. The latest:\n\n${shown.join('\n')}`,
    };
  }
  if (/^how many (?:messages|questions) (?:have|did) i\b/i.test(said))
    return { text: `${asked.length + 1}, with this one.` };
  return undefined;
};

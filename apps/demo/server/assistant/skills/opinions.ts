// Opinions: it has none, says so, and asks for the other one's, which it then keeps.

import { type Skill, tellNext } from '../notebook.ts';
import { toSecondPerson } from '../second-person.ts';

/** What it is asked to have done: nothing. */
const deed =
  /^(?:do|can|have|did) you (?:ever )?(?:play|cook|eat|drink|read|watch|travel|dance|sing|swim|drive|work|sleep|been|seen|tasted|heard)\b(.{0,60})$/i;

const asked =
  /^(?:what do you think|how do you feel|what(?:'s| is) your (?:opinion|view)|any thoughts|do you have an opinion) (?:about|of|on) (?<about>.{2,60})$|^(?:and )?do you (?:like|love|enjoy|hate|prefer) (?<liked>.{2,60})$|^(?:what(?:'s| is) your|do you have an?) favou?rite (?<favourite>.{2,40})$|^(?:is|are) (?<judged>.{2,40}?) (?:any )?(?:good|bad|better|nice|worth it|overrated)$/i;

const recommended = /^(?:recommend|suggest)(?: me)? (.{3,60})$/i;

/** Of these it does know something. */
const known = /\b(?:haip|protocol|demo|you|yourself|me)\b/i;

export const opinions: Skill = ({ said, notebook }) => {
  if (deed.test(said) && !known.test(said.replace(/^\w+ you/i, '')))
    return { text: 'No: I am a few rules in a demo, with no hands, no mouth and no evenings.', ask: 'And you?' };
  if (/^do you think .*\b(?:i|my|we|it|he|she|they)\b/i.test(said) && !known.test(said.replace(/^\w+ you/i, '')))
    return { text: 'I cannot know that: all I have is what you write here.', ask: 'What does your own feeling say?' };
  const wanted = recommended.exec(said)?.[1];
  if (wanted && !known.test(wanted)) {
    const thread = { kind: 'subject', what: wanted, since: notebook.asked.length } as const;
    const text = `I would have to make up ${wanted}, as I have met none.`;
    return { text, ask: 'What do you like in one?', learned: { topic: undefined, thread } };
  }
  const groups = asked.exec(said)?.groups;
  const found = groups?.['about'] ?? groups?.['liked'] ?? groups?.['favourite'] ?? groups?.['judged'];
  if (!found || known.test(found)) return undefined;
  const isBack = /^(?:it|that|this|them|those)$/i.test(found);
  const what = isBack ? notebook.thread?.what : toSecondPerson(found);
  if (what === undefined) return undefined;
  const { index, learned } = tellNext(notebook, 'opinion');
  const hasFavourite = groups?.['favourite'] !== undefined;
  const liking = notebook.notes.find((note) => note.toLowerCase().endsWith(` ${what.toLowerCase()}`));
  const lines = hasFavourite
    ? [`I have no favourite ${what}: a few rules do not taste, see or hear anything.`]
    : [
        `I have never met ${what}: I am a few rules in a demo, and made-up opinions are cheap.`,
        `About ${what} I have no opinion either.`,
      ];
  const told = liking ? ` But ${liking}, you told me.` : '';
  return {
    text: (lines[Math.min(index, lines.length - 1)] ?? '') + told,
    ask: hasFavourite ? `Which is yours?` : liking ? `Why is that?` : `What do you think of ${what}?`,
    learned: { ...learned, topic: undefined, thread: { kind: 'subject', what, since: notebook.asked.length } },
  };
};

/** Asked whether it knows something of which its documents say nothing. */
export const acquaintance: Skill = ({ said, notebook }) => {
  const what = /^do you know (?!what|how|why|who|when|where|if|that)(.{2,60})$/i.exec(said)?.[1];
  if (!what) return undefined;
  return {
    text: 'No: I know HAIP, and what you tell me here.',
    ask: `What should one know about ${toSecondPerson(what)}?`,
    learned: {
      topic: undefined,
      thread: { kind: 'subject', what: toSecondPerson(what), since: notebook.asked.length },
    },
  };
};

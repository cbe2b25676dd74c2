// What a person tells about themselves, and the questions that ask for it back. Kept per conversation, nowhere else.

import { capital, type Notebook, type Skill } from '../notebook.ts';
import { toSecondPerson } from '../second-person.ts';
import { traitsOf, withNote } from './introducing.ts';

/** One spelling for looking up: "Favourite colour" → "favorite color". */
const keyOf = (subject: string): string => subject.toLowerCase().replaceAll('our', 'or');

export const facts: Skill = ({ said, notebook }) => {
  const given =
    /^(?:remember(?: that)? )?my ((?:favou?rite )?[\p{L}' -]{2,30}?)(?:'s name)? (?:is|are) (?:called |named )?([^?]{1,80})$/iu.exec(
      said,
    );
  if (given?.[1] && given[2] && !/^name$/i.test(given[1])) {
    const subject = given[1].toLowerCase();
    const value = toSecondPerson(given[2]);
    return {
      text: `Noted: your ${subject} is ${value}.`,
      learned: { facts: new Map([...notebook.facts, [subject, value]]) },
    };
  }
  const asked =
    /^(?:(?:do you (?:know|remember)|tell me) )?(?:what|who|where|when)(?:'s| is| are| was|) my ([\p{L}' -]{2,40}?)(?:'s name)?(?: is| are)?$/iu.exec(
      said,
    )?.[1];
  if (!asked) return undefined;
  if (/^name$/i.test(asked)) {
    return {
      text: notebook.name ? `Your name is ${notebook.name}.` : 'You have not told me your name yet. What is it?',
    };
  }
  const [, value] = [...notebook.facts].findLast(([subject]) => keyOf(subject) === keyOf(asked)) ?? [];
  if (value) return { text: `Your ${asked.toLowerCase()} is ${value}. You told me so.` };
  const isWork = /^(?:job|work|profession|trade|occupation)$/i.test(asked);
  const told = isWork ? traitsOf(notebook, 'work') : undefined;
  if (told) return { text: `${capital(told)}. You told me so.` };
  // Told perhaps in other words, which only a search finds.
  if (notebook.statements.length > 0 && !isWork && !/^favou?rite/i.test(asked)) return undefined;
  return { text: `You have not told me your ${asked.toLowerCase()} yet.` };
};

const personal =
  /^i (?:like|love|adore|enjoy|hate|dislike|prefer|live|work|study|play|have|own|collect|speak|drink|eat|grew|was born|come|drive|write|read|build|teach|grow)\b.{2,120}$/i;

export const notes: Skill = ({ said, notebook }) => {
  const wanted = /^(?:remember|note|keep in mind|don'?t forget)(?: that|:)? (.{3,160})$/i.exec(said)?.[1];
  const own =
    wanted ??
    (personal.test(said) && !/^i have (?:a |another |one |no )?(?:question|idea)/i.test(said) ? said : undefined);
  if (!own) return undefined;
  const note = toSecondPerson(own);
  const learned = { notes: withNote(notebook, note) };
  if (wanted) return { text: `I will remember: ${note}.`, learned };
  const subject = /^you (?:like|love|adore|enjoy|prefer) (.+)$/i.exec(note)?.[1];
  if (subject === undefined) return { text: `${capital(note)}. I will remember that.`, learned };
  const thread = { kind: 'subject', what: subject, since: notebook.asked.length } as const;
  return { text: `Good to know that ${note}.`, ask: `What is it about ${subject}?`, learned: { ...learned, thread } };
};

function everything({ name, facts: known, notes: said }: Notebook): string {
  const lines = [
    ...(name ? [`You are called ${name}.`] : []),
    ...[...known].map(([key, value]) => `Your ${key} is ${value}.`),
    ...said.map((note) => `${capital(note)}.`),
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}

const aboutAll =
  /^(?:what|tell me what) (?:do|did|have|else do) (?:you|i) (?:know|remember|tell you|told you|say|learn)(?: (?:so far|about me|from me|of me))*$|^what do you (?:know|remember) about me|^(?:who|what) am i$|^do you (?:still )?(?:know|remember) (?:me|who i am)$|^what do i do$/i;

/** Questions for one trait, and what they ask for. */
const asks: readonly (readonly [pattern: RegExp, trait: 'work' | 'home' | 'age', word: string])[] = [
  [/^what(?:'s| is| do| did)? (?:i do(?: for (?:a living|work))?|my (?:job|work|profession))$/i, 'work', 'what you do'],
  [/^where (?:am i from|do i (?:come from|live)|was i born)$/i, 'home', 'where you are from'],
  [/^how old am i$/i, 'age', 'how old you are'],
];

export const recollection: Skill = ({ said, notebook }) => {
  const asked = said.replace(
    /^(?:do you (?:still )?(?:know|remember)|tell me|can you tell me) (?=what|who|where|how|my)/i,
    '',
  );
  if (/^(?:my name|what i(?:'m| am) called)$/i.test(asked))
    return { text: notebook.name ? `Yes: ${notebook.name}.` : 'You have not told me your name yet. What is it?' };
  const ask = asks.find(([pattern]) => pattern.test(asked));
  const fitting = ask && traitsOf(notebook, ask[1]);
  if (fitting) return { text: `${capital(fitting)}.` };
  if (ask) return { text: `You have not told me ${ask[2]} yet.` };
  const verb = /^(?:what|where) do i (like|love|hate|prefer|enjoy|work|have|own|play|drink|eat|collect|speak)$/i.exec(
    asked,
  )?.[1];
  const verbs =
    verb && /^(?:like|love|enjoy)$/i.test(verb) ? ['like', 'love', 'enjoy', 'adore'] : [verb?.toLowerCase()];
  const liked = notebook.notes.filter((note) => verb && verbs.some((one) => note.startsWith(`you ${one}`)));
  if (liked.length > 0) return { text: `${capital(liked.join(', and '))}.` };
  if (verb) return { text: `You have not told me what you ${verb.toLowerCase()} yet.` };
  if (!aboutAll.test(asked) && !aboutAll.test(said)) return undefined;
  const all = everything(notebook);
  if (all === '') return { text: 'So far you have told me nothing about yourself. I am listening.' };
  return { text: `This is what you told me in this conversation:\n\n${all}` };
};

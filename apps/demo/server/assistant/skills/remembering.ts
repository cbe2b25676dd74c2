// What a person tells about themselves, and the questions that ask for it back. Kept per conversation, nowhere else.

import type { Notebook, Skill } from '../notebook.ts';

const notNames = new Set(
  'a an the not so very just really fine good well ok okay great happy sad tired bored sorry here back sure done ready lost new going trying looking curious confused from in at on also feeling afraid hungry busy'.split(
    ' ',
  ),
);

/** One spelling for looking up: "Favourite colour" → "favorite color". */
const keyOf = (subject: string): string => subject.toLowerCase().replaceAll('our', 'or');

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The person's words as said back to them: "I live with my cat" → "you live with your cat". */
export function toSecondPerson(text: string): string {
  const turned = new Map([
    ['i', 'you'],
    ["i'm", "you're"],
    ["i've", "you've"],
    ["i'd", "you'd"],
    ["i'll", "you'll"],
    ['am', 'are'],
    ['was', 'were'],
    ['me', 'you'],
    ['my', 'your'],
    ['mine', 'yours'],
    ['myself', 'yourself'],
    ['you', 'I'],
    ['your', 'my'],
  ]);
  const firstPerson = /\bi\b|\bi'/i.test(text);
  return text.replace(/[\p{L}']+/gu, (word) => {
    const lower = word.toLowerCase();
    if (lower === 'was' && !firstPerson) return word;
    return turned.get(lower) ?? word;
  });
}

export const introduction: Skill = ({ said, notebook }) => {
  const explicit =
    /^(?:(?:but |and )?my name(?:'s| is)|(?:you (?:can|may) )?call me|i(?:'m| am) called)\s+([\p{L}][\p{L}'’ -]{0,39})$/iu.exec(
      said,
    );
  const casual = /^i(?:'m| am)\s+(\p{Lu}[\p{L}'’-]{1,29})(?: (?:by the way|here))?$/u.exec(said.replace(/^I/, 'i'));
  const name = explicit?.[1] ?? casual?.[1];
  if (!name || notNames.has(name.toLowerCase().split(' ')[0] ?? '')) return undefined;
  const shown = capital(name.trim());
  const known = notebook.name !== undefined && notebook.name !== shown;
  return {
    text: known ? `${shown} it is, then. I had ${notebook.name} written down.` : `Pleased to meet you, ${shown}.`,
    learned: { name: shown },
  };
};

export const facts: Skill = ({ said, notebook }) => {
  const given =
    /^(?:remember(?: that)? )?my ((?:favou?rite )?[\p{L}' -]{2,30}?)(?:'s name)? (?:is|are) (?:called |named )?([^?]{1,80})$/iu.exec(
      said,
    );
  if (given?.[1] && given[2] && !/^name$/i.test(given[1])) {
    return {
      text: `Noted: your ${given[1].toLowerCase()} is ${given[2]}.`,
      learned: { facts: new Map([...notebook.facts, [given[1].toLowerCase(), given[2]]]) },
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
  const learned = { notes: [...notebook.notes.filter((known) => known !== note), note] };
  if (wanted) return { text: `I will remember: ${note}.`, learned };
  const subject = /^you (?:like|love|adore|enjoy|prefer) (.+)$/i.exec(note)?.[1];
  const text = subject
    ? `Good to know that ${note}. What is it about ${subject}?`
    : `${capital(note)}. I will remember that.`;
  return { text, learned };
};

function everything({ name, facts: known, notes: said }: Notebook): string {
  const lines = [
    ...(name ? [`You are called ${name}.`] : []),
    ...[...known].map(([key, value]) => `Your ${key} is ${value}.`),
    ...said.map((note) => `${capital(note)}.`),
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}

export const recollection: Skill = ({ said, notebook }) => {
  const about =
    /^(?:what|tell me what) (?:do|did) (?:you know|you remember|i tell you|i say|you learn)(?: about me| from me)?$|^what do you know about me|^what have i told you|^who am i$|^what do i (?:like|love|do|have|hate|prefer|enjoy)$|^where do i (?:live|work)$|^do you (?:know|remember) me$/i;
  if (!about.test(said)) return undefined;
  const verb = /^(?:what|where) do i (\w+)$/i.exec(said)?.[1];
  const fitting =
    verb && verb !== 'do' ? notebook.notes.filter((note) => note.startsWith(`you ${verb.toLowerCase()}`)) : [];
  if (fitting.length > 0) return { text: `${capital(fitting.join(', and '))}.` };
  const all = everything(notebook);
  if (all === '') return { text: 'So far you have told me nothing about yourself. I am listening.' };
  return { text: `This is what you told me in this conversation:\n\n${all}` };
};

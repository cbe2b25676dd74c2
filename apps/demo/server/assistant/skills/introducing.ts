// Who somebody is: their name, work, age, and where they are from, wherever in a sentence they say so.

import { type Answer, capital, type Notebook, type Question, type Skill } from '../notebook.ts';
import { toSecondPerson } from '../second-person.ts';

const notNames = new Set(
  `a an the not so very just really fine good well ok okay great happy sad tired bored sorry here back sure done ready lost
  new going trying looking curious confused from in at on also feeling afraid hungry busy alone angry late sick ill single
  married vegan vegetarian nervous excited glad proud cold hot thirsty your my his her still no yes all one only too`.split(
    /\s+/,
  ),
);

const explicit =
  /^(?:hi |hello )?(?:my (?:first )?name(?:'s| is)|(?:you (?:can|may) |please |just )?call me|i(?:'m| am) called|i go by|the name(?:'s| is))\s+([\p{L}][\p{L}'’ -]{0,39}?)(?: by the way)?$/iu;
const casual =
  /^(?:i(?:'m| am)|this is|it's|it is)\s+(\p{L}[\p{L}'’-]{1,29}(?: \p{Lu}[\p{L}'’-]{1,29})?)(?:,? (?:by the way|here|from .{2,40}|an? .{2,60}))?$/iu;

function nameIn({ said, notebook }: Question): string | undefined {
  const found = explicit.exec(said)?.[1] ?? casual.exec(said)?.[1];
  if (found === undefined) return undefined;
  const [first = ''] = found.split(' ');
  if (notNames.has(first.toLowerCase()) || /(?:ing|ed|ish)$/i.test(first)) return undefined;
  // In small letters it may be any adjective, save in the first words of all.
  const isName = explicit.test(said) || /^\p{Lu}/u.test(first) || (notebook.asked.length === 0 && /^i/i.test(said));
  return isName ? capital(found.trim()) : undefined;
}

/** What follows the name: "I am Ada, a nurse from Bergen". */
function restAfter(name: string, said: string): string | undefined {
  const rest = said.slice(said.toLowerCase().indexOf(name.toLowerCase()) + name.length).replace(/^[\s,]+/, '');
  return /^(?:an? |from )/i.test(rest) ? `you are ${toSecondPerson(rest)}` : undefined;
}

/** The notes with one more, which is not there twice. */
export const withNote = ({ notes }: Notebook, note: string): readonly string[] => [
  ...notes.filter((known) => known !== note),
  note,
];

export const introduction: Skill = (question) => {
  const { said, notebook } = question;
  const name = nameIn(question);
  if (name === undefined) return undefined;
  const also = restAfter(name, said);
  const learned = { name, ...(also ? { notes: withNote(notebook, also) } : {}) };
  const also2 = also ? ` ${capital(also)}: I will remember that too.` : '';
  if (notebook.name === name) return { text: `Yes, ${name}: I have not forgotten.${also2}`, learned };
  const isOther = notebook.name !== undefined;
  const text = isOther ? `${name} it is, then. I had ${notebook.name} written down.` : `Pleased to meet you, ${name}.`;
  return { text: text + also2, learned };
};

interface Trait {
  readonly name: 'work' | 'home' | 'age';
  /** On what is said back: "you run a bakery". */
  readonly pattern: RegExp;
  readonly ask: string;
}

const traits: readonly Trait[] = [
  {
    name: 'work',
    pattern:
      /^you (?:run|own|manage|work|teach|study|studied|sell|bake|build|repair|are (?:an?|the) (?!bit|little|lot)(?:\p{L}+ ){0,3}?\p{L}+(?:er|or|ist|ian|nt|se|ect|ef|ot|ey|person|man|woman|boss|pilot)\b)/iu,
    ask: 'What is the best part of it?',
  },
  {
    name: 'home',
    pattern: /^you (?:live|are (?:.* )?from|come from|grew up|were born|moved)\b/i,
    ask: 'What is it like there?',
  },
  { name: 'age', pattern: /^you are \d{1,3}(?: years old)?$/i, ask: '' },
];

/** Takes what tells who somebody is, and keeps it as a note. */
export const trait: Skill = ({ said, notebook }): Answer | undefined => {
  const note = toSecondPerson(said);
  const found = traits.find(({ pattern }) => pattern.test(note));
  if (!found) return undefined;
  const learned = { notes: withNote(notebook, note) };
  return { text: `${capital(note)}: I will remember that.`, ask: found.ask || undefined, learned };
};

/** The notes of that kind, as one sentence; undefined when there are none. */
export function traitsOf({ notes }: Notebook, name: Trait['name']): string | undefined {
  const pattern = traits.find((one) => one.name === name)?.pattern;
  const fitting = notes.filter((note) => pattern?.test(note));
  return fitting.length === 0 ? undefined : fitting.join(', and ');
}

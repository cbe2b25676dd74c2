// Small advice: what to do about the trouble that was told. Knows nothing better than anybody else, says so, and breaks
// it into steps.

import type { Answer, Notebook, Skill } from '../notebook.ts';
import { capital } from '../notebook.ts';
import { toSecondPerson } from '../second-person.ts';
import { traitsOf } from './introducing.ts';
import { findTold } from './recalling.ts';

interface Advice {
  readonly fits: RegExp;
  /** Whether it also weighs on somebody's work. */
  readonly touchesWork?: boolean;
  readonly steps: (thing: string) => readonly [string, string, string];
}

const advices: readonly Advice[] = [
  {
    fits: /\b(?:stolen|lost my|lost your|missing)\b/i,
    touchesWork: true,
    steps: (thing) => [
      `Go back in your mind to where you last had ${thing}, and ask there.`,
      'Lock or block whatever somebody else could use, and report it where that is done.',
      `Then see who can lend you what you need most, until it is clear whether you get ${thing} back.`,
    ],
  },
  {
    fits: /\b(?:phone|laptop|computer|car|engine|train|broke|broken|breaks|leaks|crashed|burnt|burned|stuck|ruined)\b/i,
    touchesWork: true,
    steps: (thing) => [
      `Make sure that nothing gets worse: switch off what belongs to ${thing}, and tell those who count on it.`,
      `Find the least that you can do today without ${thing}; perhaps somebody lends you one.`,
      `Then ask one person who knows about ${thing} what a repair costs and how long it takes, before you decide anything larger.`,
    ],
  },
  {
    fits: /\b(?:died|dead|death|funeral|grieving|left you|you miss)\b/i,
    steps: () => [
      'Nothing has to be solved today; eat something, and sleep when you can.',
      'Tell one person who knew them, or who knows you.',
      'Write down what you want to keep of it, while it is near.',
    ],
  },
  {
    fits: /\b(?:argument|argued|fight|fought|angry|boss|friend|colleague|husband|wife|partner|lonely)\b/i,
    steps: () => [
      'Wait until the heat is out of it; nothing good is written within the first hour.',
      'Say what you felt and what you wish, rather than what the other one is.',
      'Ask how it was for them, and leave a silence for the answer.',
    ],
  },
  {
    fits: /\b(?:tired|exhausted|ill|sick|headache|fever|pain|hurts?|aching|sleep)\b/i,
    touchesWork: true,
    steps: () => [
      'Take one thing off today’s list, and tell whoever waits for it.',
      'Water, air, and an hour without a screen; this one counts, too.',
      'If it lasts, or frightens you, ask a doctor and not a demo.',
    ],
  },
  {
    fits: /\b(?:exam|interview|deadline|stress\w*|nervous|worried|anxious|afraid|scared|overwhelmed|late|work|job)\b/i,
    touchesWork: true,
    steps: () => [
      'Write down all of it, so that your head need not hold it.',
      'Underline the one thing that would make the others easier.',
      'Give that one a quarter of an hour now; beginning is the heavy part.',
    ],
  },
];

const anything: Advice['steps'] = () => [
  'Say in one sentence what would have to be different for it to be all right.',
  'Find the smallest piece of that which is in your own hands today.',
  'Tell somebody that you are about to do it; that helps more than it should.',
];

/** The ways to ask for advice; `about` is what for, where that is said. */
const wanted: readonly RegExp[] = [
  /^(?:and |but )?what (?:should|shall|can|could|would|do) (?:i|you|we)(?: do)?(?: now| then)?(?: about (?<about>.{2,60}))?$/i,
  /^what (?:now|do you advise|do you suggest|do you recommend)$/i,
  /^any (?:advice|ideas?|suggestions?|tips)(?: for me)?$/i,
  /^(?:give me|i need)(?: some| your)? (?:advice|help)(?: (?:about|with|on|for) (?<about>.{2,60}))?$/i,
  /^help me(?: with (?<about>.{2,60}))?$/i,
  /^how (?:do|can|should) i (?:fix|solve|handle|deal with|cope with) (?<about>.{2,60})$/i,
];

/** What it is about: "the oven broke" → "the oven". */
const thingIn = (what: string): string => /\b((?:the|your|our) (?!bad|whole)\p{L}+)/iu.exec(what)?.[1] ?? 'it';

function advise(notebook: Notebook, what: string): Answer {
  const found = advices.find(({ fits }) => fits.test(what));
  const steps = (found?.steps ?? anything)(thingIn(what));
  const work = traitsOf(notebook, 'work');
  const because = work === undefined || !found?.touchesWork ? '' : ` And as ${work}, think of who waits for you there.`;
  const list = steps.map((step, index) => `${index + 1}. ${step}`).join('\n');
  const learned = { topic: undefined, thread: { kind: 'trouble', what, since: notebook.asked.length } as const };
  return {
    text: `${capital(what)}: I am no expert, but this is how I would take it apart.${because}\n\n${list}`,
    ask: 'Which of the three could you do first?',
    learned,
  };
}

export const advising: Skill = ({ said, notebook }) => {
  const match = wanted.map((pattern) => pattern.exec(said)).find((found) => found !== null);
  if (!match) return undefined;
  const named = match.groups?.['about'];
  const isBack = named === undefined || /^(?:it|that|this|them|all (?:that|this))$/i.test(named);
  const { thread } = notebook;
  if (/^help me$/i.test(said) && thread?.kind !== 'trouble') return undefined;
  if (/^what (?:do|can) (?:i|you|we) do$/i.test(said) && thread?.kind !== 'trouble') return undefined;
  if (/^what do i do$/i.test(said) && traitsOf(notebook, 'work') !== undefined) return undefined;
  if (!isBack) return advise(notebook, toSecondPerson(findTold(notebook, named) ?? named));
  if (thread?.kind === 'trouble') return advise(notebook, thread.what);
  if (notebook.topic !== undefined) return undefined;
  const lastTold = notebook.statements.at(-1);
  if (lastTold !== undefined) return advise(notebook, toSecondPerson(lastTold));
  return { text: 'I will think along, in small steps.', ask: 'What is the matter?' };
};

/** How to do something that it knows nothing about: how one begins anything. */
export const learning: Skill = ({ said, notebook }) => {
  const goal = /^how (?:do|can|could|should) i (.{3,80})$/i.exec(said)?.[1];
  if (goal === undefined || /\bhaip\b/i.test(goal)) return undefined;
  const what = `to ${toSecondPerson(goal)}`;
  return {
    text: `How ${what}, I do not know, and will not pretend to. What helps with most things: the smallest piece first, a fixed quarter of an hour each day, and one person to ask.`,
    ask: 'What would be the smallest piece?',
    learned: { topic: undefined, thread: { kind: 'subject', what, since: notebook.asked.length } },
  };
};

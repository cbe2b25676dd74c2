// Good and bad days: hears that something hurts or delights, says so, and asks one question back. Keeps what it was, so
// that "what should I do about it?" has a meaning.

import { isQuestion } from '../clauses.ts';
import { type Answer, calledByName, capital, type Question, type Skill, tellNext } from '../notebook.ts';
import { insideSentence } from '../second-person.ts';

const words = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));

const sad =
  words(`bad awful terrible horrible sad tired exhausted lonely ill sick unhappy depressed stressed anxious worried afraid
  scared angry annoyed upset frustrated disappointed hurt hurts aching lost stolen broke broken breaks leaks crashed failed fails died dead
  fired cancelled cried crying argued argument fight fought nervous overwhelmed miserable headache fever pain late missed
  burnt burned badly dying stuck ruined rotten heartbroken grieving`);
const glad =
  words(`happy glad great wonderful excellent fantastic excited proud passed won promoted engaged married pregnant relieved
  celebrate celebrating succeeded grateful delighted perfect well better lovely good`);
const denials = words("not no never n't isn't wasn't don't didn't hardly");

/** Which way the words go; what is denied goes the other way. */
function moodOf(said: string): 'sad' | 'glad' | undefined {
  if (/\bgot (?:the|a|my|our) (?:job|place|prize|raise|promotion|flat|house)\b/i.test(said)) return 'glad';
  if (/\bleft me\b|\bi miss (?:my|our|her|him|them)\b/i.test(said)) return 'sad';
  const all = said.toLowerCase().match(/[\p{L}']+/gu) ?? [];
  for (const [index, word] of all.entries()) {
    const isDenied = all.slice(Math.max(0, index - 3), index).some((before) => denials.has(before));
    if (sad.has(word)) return isDenied ? 'glad' : 'sad';
    if (glad.has(word)) return isDenied ? 'sad' : 'glad';
  }
  return undefined;
}

/** Bare words are about the one who says them: "tired", "not so good", "very happy today". */
const isBare = (said: string): boolean =>
  /^(?:(?:not|very|so|really|quite|pretty|a bit|feeling|just|doing|too) )*(?:sad|tired|exhausted|lonely|unhappy|depressed|stressed|anxious|worried|nervous|ill|sick|awful|terrible|happy|excited|fine|great|good|well)(?: today| now| too)?$/i.test(
    said,
  );

const taste = /^(?:i|we) (?:really |also |just )?(?:like|love|adore|enjoy|hate|dislike|prefer|think|want)\b/i;
const isGeneral = (what: string): boolean =>
  /\b(?:day|week|night|morning|feel|feeling|mood)\b|^you are (?:\p{L}+ ){0,2}\p{L}+$/iu.test(what);

function toBeSad(question: Question, what: string): Answer {
  const { notebook } = question;
  const { thread } = notebook;
  const since = notebook.asked.length;
  const { index, learned } = tellNext(notebook, 'sorrow');
  const changed = { ...learned, topic: undefined, thread: { kind: 'trouble', what, since } as const };
  const offer = 'what should I do about it';
  if (thread?.kind === 'trouble' && thread.since === since) {
    const kept = isGeneral(what) ? thread.what : what;
    return {
      text: `And ${what}: no wonder.`,
      ask: 'Would you like to think about what to do, or was it enough to tell somebody?',
      learned: { ...changed, thread: { ...changed.thread, what: kept }, offer },
    };
  }
  const ask = isGeneral(what) ? 'What happened?' : 'Shall we think about what to do?';
  const lines = [
    `I am sorry to hear that ${what}${calledByName(notebook)}.`,
    `That too: ${what}. I see why it weighs on you.`,
    `${capital(what)}. That is not easy, and I am only a small program; but I am listening.`,
  ];
  const learnedNow = isGeneral(what) ? changed : { ...changed, offer };
  return { text: lines[Math.min(index, lines.length - 1)] ?? '', ask, learned: learnedNow };
}

function toBeGlad({ notebook }: Question, what: string): Answer {
  const { index, learned } = tellNext(notebook, 'gladness');
  const lines = [`Good to hear that ${what}${calledByName(notebook)}!`, `${capital(what)}: that is good news again.`];
  const ask = isGeneral(what) ? 'What was the best of it?' : 'How did it come about?';
  const thread = { kind: 'joy', what, since: notebook.asked.length } as const;
  return { text: lines[Math.min(index, 1)] ?? '', ask, learned: { ...learned, topic: undefined, thread } };
}

const despair = /\b(?:kill(?:ing)? myself|suicid\w*|want to die|end my life|hurt(?:ing)? myself|no reason to live)\b/i;

/** The one thing that a small program must not chat about. */
export const despairing: Skill = ({ said }) =>
  despair.test(said)
    ? {
        text: 'I am taking this seriously, and I am only a small program that cannot help with it. Please talk to a person now: somebody near you, a doctor, or the emergency number or crisis line of your country. You do not have to explain it well; saying this one sentence to them is enough.',
      }
    : undefined;

export const moods: Skill = (question) => {
  const said = question.said.replace(/^because /i, '');
  if (isQuestion(said) || taste.test(said)) return undefined;
  const bare = isBare(said);
  const isTold = bare || /^(?:i|i'|my|we|our|the|today|it|it's|he|she|they|everything|yesterday|a)\b/i.test(said);
  const mood = isTold ? moodOf(said) : undefined;
  if (mood === undefined) return undefined;
  // A greeting's answer, not news: small talk has words for it.
  if (mood === 'glad' && /^(?:i(?:'m| am) )?(?:doing |very |quite )?(?:fine|good|well|great)(?: too)?$/iu.test(said))
    return undefined;
  if (mood === 'glad' && /^(?:it|it's|that|this|the)\b/i.test(said)) return undefined;
  const shown = insideSentence(bare && !/^i\b/i.test(said) ? `I am ${said}` : said);
  return mood === 'sad' ? toBeSad(question, shown) : toBeGlad(question, shown);
};

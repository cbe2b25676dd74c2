// Plans the embedded assistant's answer. A fold over the conversation: what it knows at the end is made from what was
// said, so the same log gives the same answer on any node, after any crash. Pure: never waits, never writes.

import type { Knowledge } from './knowledge.ts';
import { type Answer, emptyNotebook, type Line, type Notebook, type Question, type Skill } from './notebook.ts';
import { arithmetic } from './skills/arithmetic.ts';
import { dates } from './skills/dates.ts';
import { explaining } from './skills/explaining.ts';
import { continuation, lookingBack, repetition } from './skills/looking-back.ts';
import { facts, introduction, notes, recollection, toSecondPerson } from './skills/remembering.ts';
import { reminding } from './skills/reminding.ts';
import { counting, knownLists, mathematics } from './skills/sequences.ts';
import { smallTalk } from './skills/small-talk.ts';
import { storytelling } from './skills/stories.ts';
import { wordplay } from './skills/wordplay.ts';

const longestRead = 2000;
const mostSentences = 4;

const manners =
  /^(?:(?:please|ok(?:ay)?|so|now|well|then|and then|and now|hey|oh|ah|um+|thanks|alright)[,:]? +|(?:can|could|would|will) you (?:please |kindly )?(?=(?:\p{L}+ ))|i(?:'d| would) like (?:you )?to (?:know |hear )?|i want (?:you )?to (?:know )?|do you know (?=what|how|why|who|when)|(?:can|could) i (?:have|hear|get) )/iu;
const farewellManners = /[\s,]+(?:please|for me|thanks|thank you|now|then)$/i;
const anotherOne = /^(?:(?:tell me )?another(?: one)?|one more|again|more|next(?: one)?|a different one)$/i;
const greetingFirst = /^(?:hello|hi|hey|good (?:morning|afternoon|evening))(?: there| assistant)?[,!.]+\s+(?=\S)/i;

/** The words without politeness, end marks and typographic quotes. */
export function withoutManners(text: string): string {
  let said = text.replaceAll(/[’‘]/g, "'").replaceAll(/\s+/g, ' ').trim();
  for (let round = 0; round < 4; round++) {
    const shorter = said
      .replace(/[\s.!?…]+$/u, '')
      .replace(manners, '')
      .replace(farewellManners, '');
    if (shorter === said || shorter === '') break;
    said = shorter;
  }
  return said;
}

function sentencesOf(text: string): string[] {
  const sentences = text
    .replace(greetingFirst, '')
    .split(/(?<=[.!?])\s+(?=\S)/)
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
  return sentences.length > mostSentences || sentences.length === 0 ? [text] : sentences;
}

/** For what no skill understands: honest, and with a way on. */
function shrug({ said, notebook }: Question): Answer {
  const told = notebook.told.get('shrug') ?? 0;
  const learned = { told: new Map([...notebook.told, ['shrug', told + 1]]) };
  const isQuestion =
    /^(?:what|who|whom|whose|where|when|why|how|which|is|are|was|were|do|does|did|can|could|will|would|should)\b/i.test(
      said,
    );
  if (!isQuestion && /^(?:i|my|we|our)\b/i.test(said) && said.length < 200) {
    const mirrored = toSecondPerson(said);
    return {
      text: `So ${mirrored.charAt(0).toLowerCase()}${mirrored.slice(1)}. Tell me more about that, or ask me something.`,
      learned,
    };
  }
  const lines = [
    'That is beyond me: I am a small embedded assistant without a language model. I can explain HAIP (“what happens when the connection breaks?”), count, calculate, tell a story, or remember what you tell me.',
    'I do not know that, and I would rather say so than make something up. Try “how does resume work?”, “count to 60” or “tell me a story”.',
    'No rule of mine fits that. Say “help” for what I am good at.',
  ];
  return { text: lines[told % lines.length] ?? '', learned };
}

interface Plan {
  /** The answer; with a reminder: the one for when people allowed it. */
  readonly text: string;
  /** The reminder to set first, if people allow it. */
  readonly reminder: string | undefined;
}

/** Makes the planner over what it may know. */
export function createPlanner(knowledge: Knowledge): (lines: readonly Line[], now: Date) => Plan {
  const early: readonly Skill[] = [
    continuation,
    repetition,
    reminding,
    counting,
    mathematics,
    wordplay,
    storytelling,
    knownLists,
  ];
  const late: readonly Skill[] = [introduction, recollection, facts, dates, arithmetic, lookingBack, smallTalk];
  const skills = [...early, ...late, notes, explaining(knowledge)];

  function answerOne(question: Question): Answer | undefined {
    const { notebook, said } = question;
    const wanted = anotherOne.test(said) && notebook.again !== undefined ? notebook.again : said;
    for (const skill of skills) {
      const answer = skill({ ...question, said: wanted });
      if (answer) return answer;
    }
    return undefined;
  }

  function answerAll(text: string, before: Notebook, now: Date): Notebook {
    let notebook: Notebook = { ...before, reminder: undefined };
    const replies: string[] = [];
    for (const sentence of sentencesOf(text.slice(0, longestRead))) {
      const answer = answerOne({ said: withoutManners(sentence), notebook, now });
      if (!answer) continue;
      notebook = { ...notebook, ...answer.learned };
      if (!replies.includes(answer.text)) replies.push(answer.text);
    }
    if (replies.length === 0) {
      const answer = shrug({ said: withoutManners(text.slice(0, longestRead)), notebook, now });
      notebook = { ...notebook, ...answer.learned };
      replies.push(answer.text);
    }
    const planned = replies.join('\n\n');
    return { ...notebook, planned, given: '', asked: [...notebook.asked, text] };
  }

  return (lines, now) => {
    let notebook = emptyNotebook;
    for (const { who, text } of lines) {
      notebook = who === 'assistant' ? { ...notebook, given: text } : answerAll(text, notebook, now);
    }
    return { text: notebook.planned, reminder: notebook.reminder };
  };
}

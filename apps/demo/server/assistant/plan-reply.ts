// Plans the embedded assistant's answer. A fold over the conversation: what it knows at the end is made from what was
// said, so the same log gives the same answer on any node, after any crash. Pure: never waits, never writes.

import { isQuestion, isStatement, sentencesOf, withoutManners } from './clauses.ts';
import type { Knowledge } from './knowledge.ts';
import {
  type Answer,
  capital,
  emptyNotebook,
  type Line,
  type Notebook,
  type Question,
  type Skill,
} from './notebook.ts';
import { advising, learning } from './skills/advising.ts';
import { arithmetic } from './skills/arithmetic.ts';
import { dates } from './skills/dates.ts';
import { explaining } from './skills/explaining.ts';
import { declining, following, reasons, replying } from './skills/following.ts';
import { definite, guiding, openQuestion, planning, planRecall, weighing } from './skills/guiding.ts';
import { introduction, trait } from './skills/introducing.ts';
import { listening } from './skills/listening.ts';
import { continuation, lookingBack, repetition } from './skills/looking-back.ts';
import { despairing, moods } from './skills/moods.ts';
import { acquaintance, opinions } from './skills/opinions.ts';
import { pleasantry } from './skills/pleasantries.ts';
import { recalling } from './skills/recalling.ts';
import { facts, notes, recollection } from './skills/remembering.ts';
import { reminding } from './skills/reminding.ts';
import { counting, knownLists, mathematics } from './skills/sequences.ts';
import { shrug } from './skills/shrugging.ts';
import { smallTalk } from './skills/small-talk.ts';
import { storytelling } from './skills/stories.ts';
import { wordplay } from './skills/wordplay.ts';

const longestRead = 2000;

const anotherOne = /^(?:(?:tell me )?another(?: one)?|one more|again|more|next(?: one)?|a different one)$/i;
const yes =
  /^(?:yes|yeah|yep|sure|ok|okay|please do|yes please|gladly|let's|of course|why not|do it|i would|i'd like (?:that|to))$/i;
const no = /^(?:no|nope|not now|not really|no thanks?|no thank you|it was enough|that was enough)$/i;

/** What is told, in the order in which it is understood. */
const forStatements: readonly Skill[] = [
  declining,
  planRecall,
  planning,
  introduction,
  pleasantry,
  storytelling,
  reasons,
  moods,
  trait,
  smallTalk,
  facts,
  notes,
  listening,
];

interface Plan {
  /** The answer; with a reminder: the one for when people allowed it. */
  readonly text: string;
  /** The reminder to set first, if people allow it. */
  readonly reminder: string | undefined;
}

/** What was wanted, where a few words stand for it. */
function wantedBy(said: string, { again, offer }: Notebook): string {
  if (offer !== undefined && yes.test(said)) return offer;
  return again !== undefined && anotherOne.test(said) ? again : said;
}

function firstAnswer(skills: readonly Skill[], question: Question): Answer | undefined {
  for (const skill of skills) {
    const answer = skill(question);
    if (answer) return answer;
  }
  return undefined;
}

/** Each reply may end with the name; in a row that is pushy. */
function namedOnce(text: string, name: string | undefined): string {
  const [first = '', ...others] = name === undefined ? [text] : text.split(new RegExp(`, ${name}(?=[.!])`));
  return others.length === 0 ? first : `${first}, ${name}${others.join('')}`;
}

/** Replies in a row, each with an end. */
const joined = (replies: readonly string[]): string =>
  replies.map((reply) => (replies.length === 1 || /[.!?…:”]$/.test(reply) ? reply : `${reply}.`)).join(' ');

/** What goes into an answer, while the clauses of a message are taken one by one. */
interface Draft {
  readonly notebook: Notebook;
  readonly paragraphs: readonly string[];
  readonly ask: string | undefined;
  /** What "yes" to it means. */
  readonly offer: string | undefined;
  readonly isUnderstood: boolean;
}

/** Makes the planner over what it may know. */
export function createPlanner(knowledge: Knowledge): (lines: readonly Line[], now: Date) => Plan {
  const forRequests: readonly Skill[] = [
    continuation,
    repetition,
    reminding,
    counting,
    mathematics,
    wordplay,
    planRecall,
    planning,
    storytelling,
    knownLists,
    introduction,
    advising,
    recollection,
    facts,
    dates,
    arithmetic,
    lookingBack,
    pleasantry,
    following,
    opinions,
    moods,
    smallTalk,
    reasons,
    notes,
    recalling,
    explaining(knowledge),
    weighing,
    learning,
    acquaintance,
    declining,
    replying,
  ];

  function answerOne(question: Question): Answer | undefined {
    const { notebook, said } = question;
    if (notebook.offer !== undefined && no.test(said)) return { text: 'All right. I am here.' };
    const wanted = { ...question, said: wantedBy(said, notebook) };
    const isTold = isStatement(wanted.said);
    const answer = firstAnswer([despairing, ...(isTold ? forStatements : forRequests)], wanted);
    if (!answer || !isTold) return answer;
    const statements = [...notebook.statements, said];
    return { ...answer, learned: { ...answer.learned, statements } };
  }

  /** One paragraph for each sentence, with a reply to each clause that is understood. */
  function answerSentence(draft: Draft, clauses: readonly string[], now: Date): Draft {
    let { notebook, ask, offer, isUnderstood } = draft;
    const replies: string[] = [];
    for (const clause of clauses) {
      const said = withoutManners(clause);
      const answer = answerOne({ said, notebook, now });
      if (answer) {
        notebook = { ...notebook, ...answer.learned };
        ask = answer.ask ?? ask;
        offer = answer.learned?.offer ?? offer;
        isUnderstood = true;
        if (!replies.includes(answer.text)) replies.push(answer.text);
      } else if (isQuestion(said)) {
        replies.push(`“${clause.trim()}” is beyond me.`);
      }
    }
    const isNew = replies.length > 0 && !draft.paragraphs.includes(joined(replies));
    return {
      notebook,
      ask,
      offer,
      isUnderstood,
      paragraphs: [...draft.paragraphs, ...(isNew ? [joined(replies)] : [])],
    };
  }

  function draftFor(text: string, before: Notebook, now: Date): Draft {
    const notebook = { ...before, reminder: undefined };
    const whole = { said: withoutManners(text), notebook, now };
    const answer = despairing(whole) ?? guiding(whole);
    if (answer) {
      const { ask, learned, text: only } = answer;
      const { offer } = learned ?? {};
      return { notebook: { ...notebook, ...learned }, paragraphs: [only], ask, offer, isUnderstood: true };
    }
    const nothing: Draft = { notebook, paragraphs: [], ask: undefined, offer: undefined, isUnderstood: false };
    const draft = sentencesOf(text).reduce((soFar, clauses) => answerSentence(soFar, clauses, now), nothing);
    if (draft.isUnderstood) return draft;
    const { text: shrugged, learned } = shrug(whole);
    return { ...nothing, notebook: { ...notebook, ...learned }, offer: learned?.offer, paragraphs: [shrugged] };
  }

  function answerAll(text: string, before: Notebook, now: Date): Notebook {
    // An offer is for the next message alone; what is planned waits longer.
    const { notebook, paragraphs, ask, offer } = draftFor(text.slice(0, longestRead), before, now);
    const open = openQuestion(notebook);
    const question =
      ask ??
      (open === undefined
        ? undefined
        : `Back to ${definite(notebook.guided?.subject)}: ${capital(open.replace(/^And /, ''))}`);
    const body = namedOnce(paragraphs.join('\n\n'), notebook.name);
    const isLong = body.includes('\n') || ask === undefined;
    const planned = question === undefined ? body : `${body}${isLong ? '\n\n' : ' '}${question}`;
    return { ...notebook, offer, planned, given: '', asked: [...notebook.asked, text] };
  }

  return (lines, now) => {
    let notebook = emptyNotebook;
    for (const { who, text } of lines) {
      notebook = who === 'assistant' ? { ...notebook, given: text } : answerAll(text, notebook, now);
    }
    return { text: notebook.planned, reminder: notebook.reminder };
  };
}

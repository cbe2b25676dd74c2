// Plans and decides together with people: asks the questions of a guide one by one, uses what was answered in those
// that follow, and sums it up. Any other question may come in between.

import { isQuestion, isWish } from '../clauses.ts';
import {
  type Answer,
  calledByName,
  capital,
  type Guided,
  type Notebook,
  type Question,
  type Skill,
} from '../notebook.ts';
import { insideSentence, toSecondPerson } from '../second-person.ts';
import { type Guide, guides } from './guides.ts';

const guideOf = ({ guide }: Guided): Guide => {
  const found = guides.find(({ name }) => name === guide);
  if (!found) throw new Error(`guideOf: expected the name of a guide, got ${guide}`);
  return found;
};

/** On being spoken of again: "a party" → "the party". */
export const definite = (subject = ''): string => subject.replace(/^an? /i, 'the ');

const article = (subject: string): string => toSecondPerson(subject).replace(/^my /i, 'your ');

const begins =
  /^(?:(?:(?:can|could|shall|should) (?:we|you)|let's|let us|we (?:need|have|want) to|i (?:need|have|want|would like|am trying|'m trying) to|i'(?:m|d like to)|help me(?: to)?|help)\s+)?(?:plan(?:ning)?|organi[sz](?:e|ing)|prepar(?:e|ing)(?: for)?)\s+(?!to\b)(.{3,80}?)(?: with me)?$/i;
const needsPlan = /^(?:i need|make|write|give me|create)(?: me)? a plan for (.{3,80})$/i;
const weighs = /^should (?:i|we) (.{3,80})$/i;
const choosesBetween = /^help (?:me|us) (?:to )?(?:decide|choose)(?: between)? (.{3,80})$/i;

function begin(guide: Guide, subject: string): Answer {
  const given = guide.given?.exec(subject)?.[1];
  const answers = given === undefined ? [] : [given];
  const guided: Guided = { guide: guide.name, subject, answers, isOpen: true };
  const opening =
    guide.name === 'decision'
      ? `${capital(subject)}: that is for you to know, but I can hold the questions.`
      : `Let us plan ${subject}, one question at a time. You may say “skip” or “stop”.`;
  return {
    text: opening,
    ask: guide.questions[answers.length]?.ask(answers),
    learned: { guided, topic: undefined, thread: undefined },
  };
}

/** Begins to plan something. */
export const planning: Skill = ({ said }) => {
  const subject = begins.exec(said)?.[1] ?? needsPlan.exec(said)?.[1];
  const guide = guides.find(({ fits }) => subject !== undefined && fits.test(subject));
  if (subject !== undefined && guide) return begin(guide, article(subject));
  return undefined;
};

/** Begins to weigh a decision. */
export const weighing: Skill = ({ said }) => {
  const decision = guides.find(({ name }) => name === 'decision');
  const deed = weighs.exec(said)?.[1];
  const subject = deed === undefined ? choosesBetween.exec(said)?.[1] : `whether to ${deed}`;
  const isOfChat = deed !== undefined && /^(?:do|say|ask|try)\b/i.test(deed);
  return subject !== undefined && decision && !isOfChat ? begin(decision, article(subject)) : undefined;
};

function summaryOf({ guided, notes }: Notebook & { guided: Guided }): string {
  const guide = guideOf(guided);
  const rows = guide.questions.flatMap(({ label }, index) => {
    const answer = guided.answers[index];
    return answer === undefined ? [] : [`- ${capital(label)}: ${answer || 'still open'}`];
  });
  const liking = notes.findLast((note) => /^you (?:like|love|enjoy) /i.test(note));
  const touch = liking && guide.name !== 'decision' ? `\n\nDo not forget yourself in it: ${liking}.` : '';
  return `${rows.join('\n')}\n\n${guide.firstStep(guided.answers)}${touch}`;
}

const leaves = /^(?:stop(?: it| planning)?|cancel(?: that| it)?|never ?mind|forget it|quit|enough|leave it)$/i;
const skips =
  /^(?:skip(?: it| that)?|(?:i )?do(?:n't| not) know(?: yet)?|no idea|not sure(?: yet)?|later|next(?: question)?|pass|whatever)$/i;
const farewell = /^(?:(?:good)?bye(?: bye)?|see you(?: later| soon)?|good night|i (?:have|need) to go|i must go)$/i;
/** Said of what was said, and of no use as an answer. */
const remark =
  /^(?:that (?:helps|helped|is|was|sounds) ?(?:a lot|good|great|nice|kind|helpful|useful|fine)?(?: of you)?|(?:very )?(?:good|great|nice|cool|fine|perfect)|i see|got it|ok(?:ay)?|hello|hi|hey)$/i;
const asksWhy = /^why(?: do you (?:ask|want to know(?: that)?))?$/i;
/** The question that waits for an answer; undefined when there is none. */
export function openQuestion({ guided }: Notebook): string | undefined {
  if (!guided?.isOpen) return undefined;
  return guideOf(guided).questions[guided.answers.length]?.ask(guided.answers);
}

/** "When the exam is over" is no question. */
const isMoment = /^(?:when|where) (?:the|i|we|my|our|he|she|it|they) (?!\p{L}+$)/iu;

/** As it is put into the next question: "about twelve people, I think" → "about twelve people". */
const asAnswer = (said: string): string =>
  insideSentence(said)
    .replace(
      /^(?:it(?:'s| is| will be| shall be)|it's|that(?:'s| is)|they are|there (?:will be|are)|i think|maybe|perhaps|probably) /i,
      '',
    )
    .replace(/^for (?=\p{L})/iu, '')
    .replace(/,? (?:you think|you guess|maybe|perhaps)$/i, '');

function takeAnswer(notebook: Notebook & { guided: Guided }, answer: string): Answer {
  const { guided } = notebook;
  const guide = guideOf(guided);
  const answers = [...guided.answers, answer];
  const next = guide.questions[answers.length]?.ask(answers);
  const noted = answer === '' ? 'Left open.' : `${capital(answer)}: noted.`;
  const changed: Guided = { ...guided, answers, isOpen: next !== undefined };
  if (next !== undefined) return { text: noted, ask: next, learned: { guided: changed } };
  return {
    text: `${noted} That is all I wanted to know. Here is what we have on ${definite(guided.subject)}:\n\n${summaryOf({ ...notebook, guided: changed })}`,
    learned: { guided: changed },
  };
}

/** Takes a message as the answer to the open question, unless it plainly is something else. */
export const guiding: Skill = ({ said, notebook }: Question) => {
  const { guided } = notebook;
  if (!guided?.isOpen) return undefined;
  if (leaves.test(said))
    return {
      text: `All right, we leave ${definite(guided.subject)} where it is. “Show me the plan” brings back what we have.`,
      learned: { guided: { ...guided, isOpen: false } },
    };
  if (farewell.test(said))
    return {
      text: `Goodbye${calledByName(notebook)}. We leave ${definite(guided.subject)} where it is: the log keeps our place, and “show me the plan” brings it back.`,
      learned: { guided: { ...guided, isOpen: false } },
    };
  if (asksWhy.test(said)) return { text: 'Because the next question depends on it. “Skip” is a fine answer, too.' };
  if (skips.test(said)) return takeAnswer({ ...notebook, guided }, '');
  if (remark.test(said) || (isQuestion(said) && !isMoment.test(said)) || isWish(said) || said.length > 200)
    return undefined;
  return takeAnswer({ ...notebook, guided }, asAnswer(said));
};

const wantsPlan =
  /^(?:show|tell|give|repeat|read)? ?(?:me )?(?:(?:back )?(?:the|our|my) plan|what do we have(?: so far)?|the plan so far)$|^what(?:'s| is| was) (?:the|our|my) plan(?: again)?$|^what (?:did|have) we plan(?:ned)?$|^summari[sz]e (?:the|our) plan$/i;
const resumes =
  /^(?:go on|continue|back to|let's (?:go on|continue)) (?:with )?(?:the |our )?(?:plan|planning|party|trip)$/i;

/** Questions about what was planned: the whole of it, or one answer. */
export const planRecall: Skill = ({ said, notebook }) => {
  const { guided } = notebook;
  if (!guided) return undefined;
  if (resumes.test(said))
    return {
      text: 'Gladly.',
      learned: { guided: { ...guided, isOpen: guided.answers.length < guideOf(guided).questions.length } },
    };
  if (wantsPlan.test(said)) {
    if (guided.answers.length === 0) return { text: `Nothing is settled yet on ${definite(guided.subject)}.` };
    return { text: `On ${definite(guided.subject)} we have:\n\n${summaryOf({ ...notebook, guided })}` };
  }
  if (!isQuestion(said)) return undefined;
  const index = guideOf(guided).questions.findIndex(
    ({ label, also }) => new RegExp(`\\b${label.replace(/s$/, '')}s?\\b`, 'i').test(said) || also?.test(said),
  );
  const { label } = guideOf(guided).questions[index] ?? {};
  const [subject = ''] = guided.subject.split(/ (?:to|for|in|with) /).slice(0, 1);
  const isAboutIt =
    /\b(?:is it|we|our|come|coming|go|going|will there|are there|guests?)\b/i.test(said) ||
    said.toLowerCase().includes(subject.split(' ').at(-1)?.toLowerCase() ?? ' ');
  if (label === undefined || !isAboutIt) return undefined;
  const answer = guided.answers[index];
  return { text: answer ? `${capital(label)}: ${answer}. You told me so.` : `That is still open: ${label}.` };
};

// Short words that lean on what was talked about last: "why?", "tell me more", "really?", "and you?", "because …".

import { isQuestion, isWish } from '../clauses.ts';
import { capital, hasAsked, type Skill, tellNext } from '../notebook.ts';
import { toSecondPerson } from '../second-person.ts';
import { withNote } from './introducing.ts';

const asksWhy =
  /^(?:(?:but )?why(?: is that| not| so)?|how come|how so|what do you mean|what makes you say (?:that|so))$/i;
const wantsMore = /^(?:tell me more|more|what else|go on|and|and then|elaborate|anything else|really|is that so)$/i;
const asksBack = /^(?:and |what about |how about |and what about )?(?:you|yourself|yours)$/i;

const whyLines = {
  trouble: (what: string) =>
    `Because you said that ${what}. Why that is so, you know better than I do: I only have your words for it.`,
  joy: (what: string) =>
    `Because you said that ${what}, and that sounded good. You know the reasons; I would like to hear them.`,
  subject: (what: string) =>
    `I have no reasons of my own about “${what}”, only what you tell me here. That is the honest size of me.`,
} as const;

export const following: Skill = ({ said, notebook }) => {
  const { thread } = notebook;
  if (!thread) return undefined;
  if (asksWhy.test(said)) return { text: whyLines[thread.kind](thread.what) };
  if (asksBack.test(said))
    return {
      text: `With me there is nothing of the kind: no days, no ovens, no taste. I would rather go on with ${thread.kind === 'subject' ? thread.what : 'yours'}.`,
    };
  if (!wantsMore.test(said)) return undefined;
  const { index, learned } = tellNext(notebook, 'following');
  const isTrouble = thread.kind === 'trouble';
  const lines = [
    `There is no more to it on my side; of “${thread.what}” I know what you told me.`,
    `You are the one who knows more about “${thread.what}”.`,
  ];
  return {
    text: lines[index % lines.length] ?? '',
    ask: isTrouble ? 'When did it begin?' : 'What comes to your mind first?',
    learned,
  };
};

/** Whether it is a thing with a name, and no sentence. */
const isName = (what: string): boolean => what.split(' ').length <= 4;

/** What somebody thinks of a subject, said in the message after it came up. */
export const reasons: Skill = ({ said, notebook }) => {
  const { thread } = notebook;
  if (thread?.kind !== 'subject' || thread.since !== notebook.asked.length - 1) return undefined;
  const opinion =
    /^(?:because|since|it(?:'s| is|)|they(?:'re| are|)|i (?:think|find|guess|believe)|i (?:love|like|hate) (?:it|them|that))\b.{3,120}$/i.exec(
      said,
    )?.[0];
  if (!opinion || !isName(thread.what)) return undefined;
  const because = toSecondPerson(opinion);
  return {
    text: `${capital(thread.what)}: “${because}”. I will keep that.`,
    learned: { notes: withNote(notebook, `about ${thread.what} you said “${opinion}”`) },
  };
};

const agrees = /^(?:yes|yeah|yep|sure|of course|maybe|perhaps|a little|a bit)$/i;
const declines = /^(?:no|nope|not really|nothing|nobody|none|i don't know|no idea)$/i;

/** "No", or "I don't know", to a question back. */
export const declining: Skill = ({ said, notebook }) => {
  if (!hasAsked(notebook) || !declines.test(said)) return undefined;
  if (notebook.thread?.kind === 'trouble') return { text: 'That is all right, there is no hurry. I am here.' };
  return { text: 'That is all right, too.', ask: 'What would you rather talk about?' };
};

/** A few words that answer the question back, whatever it was. */
export const replying: Skill = ({ said, notebook }) => {
  const { planned, thread } = notebook;
  if (!hasAsked(notebook) || isQuestion(said) || isWish(said) || said.length > 120 || !/\p{L}/u.test(said))
    return undefined;
  if (agrees.test(said)) return { text: 'Then tell me, in a sentence or two.' };
  const words = `“${capital(said)}”`;
  if (planned.endsWith('do first?')) return { text: `${words}: then begin there, and let the rest wait.` };
  if (thread?.kind === 'trouble')
    return {
      text: `${words}: no wonder.`,
      ask: 'Shall we think about what to do?',
      learned: { offer: 'what should I do about it' },
    };
  if (thread === undefined || !isName(thread.what)) return { text: `${words}, I see.` };
  return {
    text: `${words}: I will remember that.`,
    learned: { notes: withNote(notebook, `about ${thread.what} you said “${said}”`) },
  };
};

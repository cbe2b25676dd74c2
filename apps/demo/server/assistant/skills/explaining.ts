// Explains HAIP from the knowledge when asked about it, and keeps the thread: "tell me more", "what about resume?", "and is
// it fast?". Everyday questions have words in common with the topics: those it leaves alone.

import { isQuestion } from '../clauses.ts';
import type { Knowledge, Passage } from '../knowledge.ts';
import { type Answer, hasAsked, type Skill } from '../notebook.ts';

const wantsMore =
  /^(?:(?:tell|show|give) me more|more|more (?:details|please|about (?:it|that|this))|go on|continue|and|and then|why|why is that|how|how so|how come|what else|explain(?: more| further| that| it)?|in (?:more )?detail|elaborate|tell me more about (?:it|that|this)|what do you mean|go deeper|yes)$/i;

const turnsTo =
  /^(?:and |so |but )?(?:what|how) about |^and |^(?:tell|teach|show) me (?:more |something )?about |^explain |^describe /i;

/** Asked of the page itself, before any topic came up. */
const asksOfAll = /^(?:how does|what is|what's|what does) (?:it|this)\b/i;
const refersBack = /\b(?:it|its|that|this|they|them|those|these)\b/i;

function begin(passage: Passage): Answer {
  const origin = passage.source === undefined ? '' : ` (From ${passage.source}, “${passage.title}”.)`;
  return {
    text: `${passage.paragraphs[0]}${origin}`,
    learned: { topic: passage.id, depth: 1, again: 'tell me more', thread: undefined },
  };
}

function goOn(passage: Passage, depth: number, knowledge: Knowledge): Answer {
  const paragraph = passage.paragraphs[depth];
  if (paragraph) return { text: paragraph, learned: { depth: depth + 1 } };
  const [first, second] = knowledge.related(passage.id, 2);
  const next = first && second ? ` Near it are “${first}” and “${second}”; ask me about one of them.` : '';
  return { text: `That is all I know about “${passage.title}”.${next}` };
}

/** About the person's own life, where a word in common is no sign yet: every word must be of the topic. */
const isPersonal =
  /^(?:should|shall|will|would|may|am|do|did|have|was) i\b|\b(?:my|our) (?!(?:own|laptop|agent|server|client|tool)\b)|\bdo you (?:like|love|think|want)\b/i;

/** Signs that the protocol or this page is meant, in the middle of talk about something else. */
const isTechnical =
  /\b(?:haip|protocol|connect\w*|network|wifi|server|client|browser|messages?|logs?|demo|page|tokens?|transports?|websockets?|sse|http|tools?|agents?|redis|sqlite|acks?|resum\w*|sessions?|credits?|streams?|events?|transactions?|channels?|epochs?|gaps?|handshake|envelopes?|history|api|sdk)\b|^(?:what (?:is|are|happens)|how does|explain|describe|tell me about)\b/i;

/** How many of its words a question must have in common with a topic. */
function leastFor(question: string, isReply: boolean): number | undefined {
  if (/\bhaip\b/i.test(question)) return undefined;
  if (isPersonal.test(question) || (isReply && !isQuestion(question))) return 1;
  return /^how (?:do|can|could) i\b/i.test(question) ? 0.75 : undefined;
}

export function explaining(knowledge: Knowledge): Skill {
  return ({ said, notebook }) => {
    const current = notebook.topic === undefined ? undefined : knowledge.get(notebook.topic);
    if (wantsMore.test(said)) return current && goOn(current, notebook.depth, knowledge);
    const isAmongTalk = current === undefined && (notebook.thread ?? notebook.guided) !== undefined;
    if (isAmongTalk && !isTechnical.test(said)) return undefined;
    const question = said.replace(turnsTo, '');
    const title = current?.title ?? (asksOfAll.test(question) ? 'HAIP' : undefined);
    const context = title !== undefined && refersBack.test(question) ? `${question} ${title}` : question;
    const named = knowledge.find(question, leastFor(question, hasAsked(notebook)));
    if (named && (named !== current || notebook.depth >= named.paragraphs.length)) return begin(named);
    // The same topic again: what was not said yet is the better answer.
    const meant = named ?? (context === question ? undefined : knowledge.find(context));
    if (!meant) return undefined;
    return meant === current ? goOn(meant, notebook.depth, knowledge) : begin(meant);
  };
}

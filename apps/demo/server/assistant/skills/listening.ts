// For what is told and fits nothing else: says it back and asks on, so that whoever tells something is heard.

import { isStatement } from '../clauses.ts';
import { capital, type Skill, tellNext } from '../notebook.ts';
import { insideSentence } from '../second-person.ts';

const isPast = /\b(?:was|were|had|did|went|came|said|got|saw|made|took|met|(?<!\b(?:is|are|am) )\p{L}{3,}ed)\b/iu;
const asksOfPast = ['What was that like?', 'And what came of it?', 'How do you feel about it now?'];
const asksOfNow = ['How do you feel about it?', 'And what comes next?', 'What do you like about it, or not?'];

export const listening: Skill = ({ said, notebook }) => {
  if (!isStatement(said) || said.length > 200) return undefined;
  const { index, learned } = tellNext(notebook, 'listening');
  const shown = insideSentence(said.replace(/^because /i, ''));
  const asks = isPast.test(said) ? asksOfPast : asksOfNow;
  const isOfTrouble = notebook.thread?.kind === 'trouble';
  const text = isOfTrouble ? `I see: ${shown}.` : [`So ${shown}.`, `${capital(shown)}: noted.`][index % 2];
  // A trouble stays the matter while more of it is told.
  const thread = isOfTrouble
    ? notebook.thread
    : ({ kind: 'subject', what: shown, since: notebook.asked.length } as const);
  return {
    text: text ?? '',
    ask: isOfTrouble && index % 2 === 0 ? 'What would help most now?' : asks[index % asks.length],
    learned: { ...learned, topic: undefined, thread },
  };
};

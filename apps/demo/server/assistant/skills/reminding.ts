// Reminders: the one thing that the assistant does, so the one before which it asks. Pretended: nothing ever rings.

import type { Skill } from '../notebook.ts';
import { toSecondPerson } from '../second-person.ts';

const wanted =
  /^(?:(?:set|make|create|add)(?: me)? (?:a|another|the) reminder|remind me) ((?:to|about|of|that|for|at|on|in|tomorrow|tonight|later) .{2,160})$/i;
const wantedOfNothing = /^(?:(?:set|make|create|add)(?: me)? (?:a|another) reminder|remind me|(?:a )?reminder)$/i;

export const reminding: Skill = ({ said, notebook }) => {
  if (wantedOfNothing.test(said)) {
    return { text: 'What shall I remind you of? Say, for example, “remind me to call Ada at nine”.' };
  }
  const asked = wanted.exec(said)?.[1];
  if (asked === undefined) return undefined;
  if (notebook.reminder !== undefined) return { text: 'One reminder at a time, please.' };
  const reminder = toSecondPerson(asked);
  return {
    text: `The reminder ${reminder} is set. This is a demo, though: it is noted in the log of this conversation, and nothing will ring.`,
    learned: { reminder },
  };
};

/** What is said of a reminder that people did not allow. */
export const noReminder = (reminder: string): string => `All right: no reminder ${reminder}.`;

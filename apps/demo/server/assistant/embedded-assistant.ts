// The assistant that needs no key and no network: plans its answer from the log and speaks it word by word. Before it
// does something it asks. It keeps nothing between turns.

import type { Clock, Tool } from '@haip/protocol';
import type { Knowledge } from './knowledge.ts';
import { linesBefore, textOf } from './lines.ts';
import { pauseAfter, wait, wordsOf } from './pace.ts';
import { createPlanner } from './plan-reply.ts';
import { setReminder } from './set-reminder.ts';
import { noReminder } from './skills/reminding.ts';

export function embeddedAssistant(knowledge: Knowledge, clock: Clock): Tool {
  const planReply = createPlanner(knowledge);
  return {
    name: 'assistant',
    description: 'A small assistant without a language model that knows HAIP.',
    async onMessage(turn, input) {
      const text = textOf(input);
      if (text === undefined) return turn.reply('I read text only.');
      const lines = linesBefore(await turn.conversation(), turn.message.position, text);
      const { text: planned, reminder } = planReply(lines, new Date(clock.now()));
      const isAllowed = reminder === undefined || (await setReminder(turn, clock, reminder));
      const words = wordsOf(isAllowed ? planned : noReminder(reminder));
      const message = await turn.stream({ author: 'Assistant' });
      for (const word of words) {
        await message.write(word);
        await wait(clock, pauseAfter(word), turn.signal);
      }
      await message.end();
    },
  };
}

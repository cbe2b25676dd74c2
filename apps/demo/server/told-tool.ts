// Tells what a tool is at, for whoever watches several servers and wants to see which of them answers.

import type { Tool } from '@haip/protocol';

/** Takes one line that a person reads. */
export type Tell = (line: string) => void;

/** Enough of an id to tell conversations apart. */
const short = (id: string): string => id.slice(0, 8);

/** The tool, as it is, with a line when it begins to answer and one when it ends. */
export function toldTool<Input>(tool: Tool<Input>, tell: Tell): Tool<Input> {
  return {
    ...tool,
    async onMessage(turn, input) {
      tell(`answers in conversation ${short(turn.transaction)}`);
      try {
        await tool.onMessage?.(turn, input);
        tell(`has answered in ${short(turn.transaction)}`);
      } catch (error) {
        tell(`stopped answering in ${short(turn.transaction)}`);
        throw error;
      }
    },
  };
}

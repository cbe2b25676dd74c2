// Tools that several tests start.

import type { Tool, Turn } from '@haip/protocol';

/** Streams these pieces as its answer. */
export function streaming(...pieces: readonly string[]): Tool<unknown> {
  return {
    name: 'streaming',
    async onMessage(turn) {
      const writer = await turn.stream();
      for (const piece of pieces) await writer.write(piece);
      await writer.end();
    },
  };
}

/** A tool that does what the test says. */
export function toolThat(onMessage: (turn: Turn, input: string) => void | Promise<void>, name = 'tool'): Tool<unknown> {
  return { name, onMessage: (turn, input) => onMessage(turn, input as string) };
}

/** Hears everything and says nothing. */
export const mute: Tool<unknown> = { name: 'mute' };

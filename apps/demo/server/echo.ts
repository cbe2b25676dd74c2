// The smallest tool: gives back what it gets, text and audio.

import type { Tool } from '@haip/protocol';

export const echo: Tool = {
  name: 'echo',
  description: 'Gives back what it gets.',
  onMessage: (turn, input) => turn.reply(input),
  onAudio: (turn, audio) => turn.replyAudio(audio),
};

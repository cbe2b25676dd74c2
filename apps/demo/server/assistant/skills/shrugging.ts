// For what no skill understands: honest, and with a way on.

import { type Answer, type Question, tellNext } from '../notebook.ts';

const lines = [
  'That is beyond me: I am a small embedded assistant without a language model. I can explain HAIP (“what happens when the connection breaks?”), plan something with you, count, calculate, tell a story, or remember what you tell me.',
  'I do not know that, and I would rather say so than make something up. Try “help me plan a trip”, “how does resume work?” or “tell me a story”.',
  'No rule of mine fits that. Say “help” for what I am good at.',
];

export function shrug({ said, notebook }: Question): Answer {
  if (!/[\p{L}\p{N}]/u.test(said)) return { text: 'A sign without words: I can only guess that it is meant kindly.' };
  const { index, learned } = tellNext(notebook, 'shrug');
  return { text: lines[index % lines.length] ?? '', learned };
}

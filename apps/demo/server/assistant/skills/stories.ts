// Longer things to listen to, told in turn: stories, poems, jokes, curiosities. All written for this demo.

import { isStatement } from '../clauses.ts';
import { type Skill, tellNext } from '../notebook.ts';

const stories = [
  `The lighthouse at Varn had a keeper who wrote everything down. Each ship that passed, each change of wind, each word called up from a deck: a line in the book, and beside the line a number. “Why the numbers?” asked the boy who brought the oil. “Because memory argues,” said the keeper, “and numbers do not.”

One night a storm took the cable that joined the island to the shore. For nine days nobody could call across, and in the harbour they began to tell stories. The light had gone out. The light had never gone out. Two ships were lost; no, four, and one of them was the mail.

On the tenth day a boat got through, and the harbour master climbed the stairs with a face full of questions. The keeper did not answer any of them. She opened the book. “What is the last number you have?” she asked. He looked at his own papers. “Four hundred and twelve.” She put her finger on the page. “Then we begin with four hundred and thirteen.”

She read until the lamp had to be filled. Eleven ships, none lost. The wind from the north, then from the west. A whale, twice. When she closed the book, he knew exactly what had happened while he could not hear, in order, and nothing twice.

“And if the book had burnt?” the boy asked later. The keeper thought about it for a long time. “Then I would have told him so,” she said. “A gap is no shame. A gap that nobody mentions is.”`,
  `There was once a postman in the hills who never ran. Snow, sun, dogs: always the same pace. In his bag each letter had a knot of coloured thread, and in each house on his way hung a string with the same knots.

When he came to a door, he looked at the string first. If the knot was already there, he kept the letter in the bag, smiled, and went on, for some letters were written twice by people who worried. If the knot before it was missing, he sat down on the step and would not give out the next one. “Your aunt is in the middle of a sentence,” he would say. “We will wait for the beginning.”

One spring the bridge fell while he was on it. He came out of the river wet to the ears, with half a letter in his hand. The people in the village thought that was the end of the story about the goat and the mayor, which the miller's brother had been telling for three weeks.

The postman walked back over the pass, two days, to the brother's house, and said only: “They have it up to the goat.” The brother took a fresh sheet and wrote what came after the goat. Nobody in the village had to hear the beginning again, and nobody missed the end, in which, it must be said, the goat wins.`,
  `A small robot swept the library at night. It had one instruction, “leave the place as the readers would wish to find it”, and a brush.

At first it put every book back on its shelf. The readers were unhappy: someone had left a volume open on purpose, at a map, and now the map was lost among eight hundred pages. So the robot learned to leave open books open. But then dust fell on the maps.

It tried covering them with paper. It tried turning them face down, which broke a spine and, in a manner of speaking, a heart. At last it began to lay a thin ribbon in each open book, close it, dust it, and open it again at the ribbon before dawn.

Nobody ever knew. The readers came in the morning and found their maps as they had left them, only cleaner. One of them, an old woman who was drawing the coast of a country she had left as a child, sometimes had the feeling that someone had been holding her place.

The robot was not made to be pleased. But each night it counted the ribbons, and each night, when the number was the same as the night before, it swept the last corner a little more slowly than it had to.`,
];

const poems = [
  `The wire went quiet in the middle of a
word, and for a breath nobody heard.
The pen kept moving all the same;
the ink remembered every name.

And when the light came up again
it asked one question: “Up to when?”
“To ninety-six.” — “Then ninety-seven.”
As if the line had not been severed.`,
  `Small hours. The server hums its tune,
a fan, a blinking light, the moon.
Somebody types: “Are you awake?”
A cursor blinks, for courtesy's sake.

“I do not sleep,” the answer goes,
“but I have read what you propose,
and kept it, in the order said.
Now it is late. Please go to bed.”`,
];

const jokes = [
  'I know a very good joke about UDP, but I would not know whether you got it.',
  'Why did the message cross the network twice? Nobody had told it that it had already arrived.',
  'Two threads walk into a bar. The second one is served first.',
  'How many programmers does it take to change a light bulb? None. They write down that darkness is the expected behaviour.',
  'There are two hard things in distributed systems: 2. exactly-once delivery, 1. order, 2. exactly-once delivery.',
  'A packet asks another one: “Does this route work for you?” “Only on my way there,” it says, “I never came back to complain.”',
];

const curiosities = [
  'Honey found in old tombs is often still good to eat: there is too little water in it for anything to live there.',
  'An octopus has three hearts, and two of them pause when it swims. It prefers to walk.',
  'The first computer “bug” that was kept as proof, in 1947, was a moth, taped into the log book. It was an append-only log.',
  'A day on Venus lasts longer than its year: it turns once in 243 Earth days and goes round the sun in 225.',
  'Bananas are berries and strawberries are not. Botanists have their own sense of order.',
];

const shelves: readonly (readonly [string, RegExp, readonly string[]])[] = [
  ['story', /\b(?:story|tale|stories|fairy ?tale)\b/i, stories],
  ['poem', /\b(?:poem|poetry|verse|rhyme|song|sing)\b/i, poems],
  ['joke', /\b(?:jokes?|make me laugh|something funny|be funny)\b/i, jokes],
  [
    'curiosity',
    /\b(?:fun fact|curiosity|something (?:interesting|nice|new|fun)|interesting fact|surprise me|i'?m bored)\b/i,
    curiosities,
  ],
];

const wish =
  /\b(?:tell|write|read|know|give|another|one more|sing|make|surprise|bored|say|hear|recite|like)\b|^\W*(?:a |an )?\w+ ?\w*$/i;

export const storytelling: Skill = ({ said, notebook }) => {
  // Whoever tells that they like songs has not asked for one.
  const isTold = isStatement(said) && !/^i(?:'m| am) (?:\p{L}+ )?bored\b/iu.test(said);
  const shelf = !isTold && wish.test(said) ? shelves.find(([, pattern]) => pattern.test(said)) : undefined;
  if (!shelf) return undefined;
  const [kind, , texts] = shelf;
  const { index, learned } = tellNext(notebook, kind);
  const known = index >= texts.length ? 'You have heard all of mine, so here is an old one again.\n\n' : '';
  return { text: known + texts[index % texts.length], learned: { ...learned, again: `tell me a ${kind}` } };
};

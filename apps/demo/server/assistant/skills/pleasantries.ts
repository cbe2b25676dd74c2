// What people say in passing, and what one says back. Phrases as they are said: a message fits when it is one of them,
// or begins with one and is hardly longer.

import { calledByName, type Notebook, type Skill, tellNext } from '../notebook.ts';

interface Pleasantry {
  readonly name: string;
  readonly phrases: string;
  readonly lines: readonly ((notebook: Notebook) => string)[];
  readonly ask?: string;
  /** What "yes" to the question means. */
  readonly offer?: string;
}

const longestTail = 24;

const pleasantries: readonly Pleasantry[] = [
  {
    name: 'meeting',
    phrases: 'nice to meet you|pleased to meet you|good to meet you|great to meet you|good to see you|nice to see you',
    lines: [(notebook) => `The pleasure is mine${calledByName(notebook)}, as far as a small program has any.`],
  },
  {
    name: 'return',
    phrases: "i am back|i'm back|here i am again|i am here again|back again",
    lines: [
      (notebook) =>
        `Welcome back${calledByName(notebook)}. Nothing was lost meanwhile; that is what this demo is about.`,
    ],
  },
  {
    name: 'day',
    phrases:
      "how was your day|how is your day|how was your weekend|did you sleep well|what did you do today|what are you doing|what is new|what's new",
    lines: [() => 'I have no days: I am planned anew for each message. That keeps me cheerful.'],
    ask: 'How was yours?',
  },
  {
    name: 'talk',
    phrases:
      "let's talk|can we talk|talk to me|let's chat|i want to talk|chat with me|tell me something|i have a question|can i ask you something|may i ask you something|ask me something|ask me a question",
    lines: [() => 'Gladly, with what little I have.', () => 'I am all ears, so to speak.'],
    ask: 'What is on your mind today?',
  },
  {
    name: 'affection',
    phrases:
      'i love you|i like you|will you be my friend|be my friend|are you my friend|do you like me|do you love me|marry me',
    lines: [
      (notebook) =>
        `That is kind of you${calledByName(notebook)}. I am a few rules and cannot love back, but I do remember what you tell me here.`,
    ],
  },
  {
    name: 'inner life',
    phrases:
      'are you happy|are you sad|are you tired|are you lonely|are you bored|do you feel|do you dream|do you get tired|are you conscious|do you have a soul|can you feel|what do you want|what do you wish',
    lines: [
      () =>
        'No: there is nothing in me that could be. I follow a few rules, and it would be a lie to call that a mood.',
    ],
    ask: 'And you, how are you today?',
  },
  {
    name: 'weather',
    phrases:
      "how is the weather|what is the weather|what's the weather|how's the weather|will it rain|is it raining|what is in the news|what's in the news|any news",
    lines: [() => 'I cannot look outside: I have no network, only this conversation.'],
    ask: 'What do you see from your window?',
  },
  {
    name: 'puzzlement',
    phrases:
      "i don't get it|i do not get it|i don't understand|i do not understand|what do you mean|that makes no sense|huh|pardon me|you are confusing|you're confusing|that is not what i asked|that's not what i asked|that is wrong|that's wrong|you misunderstood me|wrong",
    lines: [
      () =>
        'Then I put it badly, or my rules took you for somebody who asked something else. Say it in other words, shorter if you can.',
    ],
  },
  {
    name: 'birthday',
    phrases: "it is my birthday|it's my birthday|today is my birthday|my birthday is today",
    lines: [(notebook) => `Happy birthday${calledByName(notebook)}! I cannot bake, but I can help you plan a party.`],
    offer: 'plan my birthday party',
    ask: 'Shall I?',
  },
  {
    name: 'wish',
    phrases:
      'have a nice day|have a good day|have a nice evening|have a good one|take care|see you|talk to you later|until tomorrow|good luck|sleep well|i have to go|i must go|gotta go|got to go',
    lines: [
      (notebook) =>
        `Take care${calledByName(notebook)}. The link of this conversation brings you back to where we are.`,
    ],
  },
  {
    name: 'cheer',
    phrases: 'cheer me up|make me smile|make me happy|entertain me|keep me company',
    lines: [(notebook) => `I will try${calledByName(notebook)}. I have jokes of my own make.`],
    ask: 'Shall I tell you one?',
    offer: 'tell me a joke',
  },
  {
    name: 'pity',
    phrases: "that's sad|that is sad|that's bad|what a pity|too bad|that's a pity|how sad",
    lines: [() => 'It is.'],
  },
  {
    name: 'welcome',
    phrases: "you are welcome|you're welcome|no problem|no worries|my pleasure|don't mention it",
    lines: [(notebook) => `Good manners${calledByName(notebook)}. I am here for whatever comes next.`],
  },
  {
    name: 'leaving it',
    phrases:
      "never mind|nevermind|forget it|it doesn't matter|it does not matter|leave it|that's it|that's all|that is all",
    lines: [() => 'All right, we leave it there.'],
  },
  {
    name: 'help',
    phrases:
      'that helps|that helped|this helps|that is helpful|you helped me|you are helpful|that is a good idea|good idea',
    lines: [(notebook) => `I am glad that it helps${calledByName(notebook)}.`],
  },
  {
    name: 'laughter',
    phrases: "haha|hahaha|lol|that's funny|that is funny|very funny|that was a good one|good one",
    lines: [() => 'It is good to have somebody laugh here.', () => 'I have a few more.'],
    ask: 'Another one?',
    offer: 'tell me a joke',
  },
];

const plain = (said: string): string =>
  said
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}' ]/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

export const pleasantry: Skill = ({ said, notebook }) => {
  const words = plain(said);
  const fits = (phrase: string): boolean =>
    words === phrase || (words.startsWith(`${phrase} `) && words.length <= phrase.length + longestTail);
  const found = pleasantries.find(({ phrases }) => phrases.split('|').some(fits));
  if (!found) return undefined;
  const { name, lines, ask, offer } = found;
  const { index, learned } = tellNext(notebook, name);
  const line = lines[Math.min(index, lines.length - 1)];
  return { text: line?.(notebook) ?? '', ask, learned: offer === undefined ? learned : { ...learned, offer } };
};

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { withoutManners } from '../server/assistant/clauses.ts';
import { createKnowledge } from '../server/assistant/knowledge.ts';
import type { Line } from '../server/assistant/notebook.ts';
import { createPlanner } from '../server/assistant/plan-reply.ts';

const topics = readFileSync(new URL('../server/assistant/topics.md', import.meta.url), 'utf8');
const knowledge = createKnowledge(topics, [
  {
    name: 'README.md',
    markdown: '# HAIP\n\n## Zebra mode\n\nStripes are drawn on every other frame so that people see them [SEQ-3].\n',
  },
]);
const planReply = createPlanner(knowledge);
const now = new Date('2026-11-22T12:34:00Z');

/** Says one thing after another; gives all answers. */
function converse(...said: string[]): string[] {
  const lines: Line[] = [];
  return said.map((text) => {
    lines.push({ who: 'person', text });
    const reply = planReply(lines, now).text;
    lines.push({ who: 'assistant', text: reply });
    return reply;
  });
}

const last = (...said: string[]): string => converse(...said).at(-1) ?? '';
const numbers = (from: number, to: number): string =>
  `${Array.from({ length: to - from + 1 }, (_, index) => from + index).join(', ')}.`;

describe('a reminder', () => {
  const plan = (...said: string[]) =>
    planReply(
      said.map((text) => ({ who: 'person', text })),
      now,
    );

  test.each([
    ['Remind me to call my mother at nine.', 'to call your mother at nine'],
    ['Could you please set a reminder for the dentist on Monday?', 'for the dentist on Monday'],
    ['Hello! Remind me tomorrow to water the plants, please', 'tomorrow to water the plants'],
  ])('%s', (said, reminder) => {
    expect(plan(said)).toMatchObject({ reminder, text: expect.stringContaining(`The reminder ${reminder} is set.`) });
  });

  test('is wanted by the message that says so, and by none after it', () => {
    expect(plan('Remind me to stretch', 'hello').reminder).toBeUndefined();
    expect(plan('remind me').text).toContain('What shall I remind you of?');
    expect(plan('Remind me what I said first').reminder).toBeUndefined();
    expect(plan('Remind me to rest. Remind me to eat.')).toMatchObject({
      reminder: 'to rest',
      text: expect.stringContaining('One reminder at a time'),
    });
  });
});

describe('a conversation', () => {
  test('the same conversation gives the same answer, whoever plans it', () => {
    const said = ['My name is Ada.', 'Tell me a joke', 'another one', 'flip a coin', 'What is my name?'];
    expect(createPlanner(createKnowledge(topics))([{ who: 'person', text: 'hello' }], now).text).toBe(last('hello'));
    expect(converse(...said)).toEqual(converse(...said));
  });

  test('what a person told is remembered from the conversation alone', () => {
    expect(last('My name is Ada.', 'I live in Oslo', "What's my name?")).toBe('Your name is Ada.');
    expect(last('my favourite colour is green', 'what is my favorite color?')).toContain('green');
    const known = last('call me Ada', 'my dog is called Rex', 'I like jazz', 'what do you know about me?');
    for (const fact of ['Ada', 'Rex', 'jazz']) expect(known).toContain(fact);
    expect(last('what is my name?')).toContain('not told me');
  });

  test('the newest name wins, and a mood is no name', () => {
    expect(last('My name is Ada', 'actually', 'my name is Grace', 'what is my name')).toContain('Grace');
    expect(last('I am tired', 'what is my name?')).toContain('not told me');
  });

  test('several sentences at once are each answered', () => {
    const reply = last('My name is Ada. What is 2 + 3? Tell me a joke.');
    expect(reply).toContain('Ada');
    expect(reply).toContain('2 + 3 = 5');
    expect(reply.split('\n\n')).toHaveLength(3);
  });

  test('an answer that was cut off is continued where it ended', () => {
    const whole = last('count to 30');
    const given = whole.slice(0, whole.indexOf('17,'));
    const lines: Line[] = [
      { who: 'person', text: 'count to 30' },
      { who: 'assistant', text: given },
      { who: 'person', text: 'continue' },
    ];
    expect(planReply(lines, now).text).toBe(numbers(17, 30));
  });

  test('it looks back on what was said', () => {
    expect(last('Where are the keys?', 'hello', 'what did I ask first?')).toContain('Where are the keys?');
    expect(last('count to 3', 'say that again')).toBe('1, 2, 3.');
    expect(last('hello', 'count to 3', 'summarize our conversation')).toContain('count to 3');
  });

  test('what it does not know it says it does not know', () => {
    for (const question of ['What is the capital of France?', 'why is the sky blue', 'Who won the cup in 1974?']) {
      expect(last(question)).toMatch(/beyond me|do not know|No rule of mine/);
    }
    expect(last('are you ChatGPT?')).toContain('no language model');
  });

  test.each(['', ' ', '🙂', '???', 'a'.repeat(50_000), '('.repeat(5000), `${'1+'.repeat(9000)}1`, '\u0000\uFFFF'])(
    'odd input %# is answered, and quickly',
    (text) => {
      const begun = performance.now();
      expect(last(text)).not.toBe('');
      expect(performance.now() - begun).toBeLessThan(500);
    },
  );
});

describe('knowledge of HAIP', () => {
  test.each([
    ['What is HAIP?', 'Human-Agent Interaction Protocol'],
    ['what happens when the connection breaks?', 'does not notice'],
    ['What happens if I close my laptop?', 'does not notice'],
    ['How does reconnecting work?', 'resume token'],
    ['what does ack mean', 'settles'],
    ['can I use it with redis?', 'store that several nodes share'],
    ['who can read this?', 'all or nothing'],
    ['does it use websockets', 'Server-Sent Events'],
    ['how do I write a tool?', 'registerTool'],
    ['can I bring a friend into this chat?', 'second browser'],
    ['what is seq', 'position in the log'],
    ["what's the difference to MCP?", 'bare WebSocket'],
  ])('%s', (question, expected) => {
    expect(last(question)).toContain(expected);
  });

  test('"tell me more" goes on with the topic and ends by naming others', () => {
    const [first, second, third, end] = converse('What is HAIP?', 'tell me more', 'more', 'and then?');
    expect(new Set([first, second, third, end]).size).toBe(4);
    expect(end).toContain('all I know about “HAIP”');
  });

  test('a follow-up turns to another topic, and "it" stays with the present one', () => {
    expect(last('What is HAIP?', 'and what about resume?')).toContain('resume token');
    expect(last('what are credits?', 'and gaps?')).toContain('History is bounded');
  });

  test('the documents of the project are quoted with their name', () => {
    expect(last('what is the zebra mode?')).toContain('From README.md, “Zebra mode”');
    expect(last('what is the zebra mode?')).not.toContain('[SEQ-3]');
    // Named in passing only.
    expect(last('who sees people?')).not.toContain('README.md');
  });
});

describe('skills', () => {
  test.each([
    ['count to 60', numbers(1, 60)],
    ['Could you please count to a hundred?', numbers(1, 100)],
    ['count from 7 to 9', '7, 8, 9.'],
    ['count down from 3', '3, 2, 1, 0.'],
    ['count to 50 by 10s', '10, 20, 30, 40, 50.'],
    ['list the first 5 primes', '2, 3, 5, 7, 11.'],
    ['is 97 prime?', 'Yes, 97 is prime.'],
    ['fibonacci first 6', '1, 1, 2, 3, 5, 8.'],
    ['what day is tomorrow?', 'Tomorrow: Monday, 23 November 2026.'],
    ['how many days until christmas?', '33 days from today, until Friday, 25 December 2026.'],
    ['what weekday was 20 July 1969?', '20 July 1969 was a Sunday.'],
    ['what is the date in 90 days', 'Saturday, 20 February 2027.'],
    ['reverse "hello"', 'olleh'],
    ['repeat after me: so be it', 'so be it'],
    ['what is 17 % of 2,350?', '17 % of 2350 = 399.5'],
    ['how many words in one two three', '3 words with 11 letters.'],
  ])('%s', (said, expected) => {
    expect(last(said)).toBe(expected);
  });

  test('a count without end is declined, not begun', () => {
    expect(last('count to 1000000000')).toContain('at most');
    expect(last('count from 5 to 9 by 0')).toContain('never arrive');
  });

  test('stories, poems and jokes differ until all are told', () => {
    for (const kind of ['story', 'poem', 'joke']) {
      const [first, second] = converse(`tell me a ${kind}`, 'another one');
      expect(first).not.toBe(second);
    }
  });

  test('politeness around a request changes nothing', () => {
    expect(withoutManners('Hey, could you please count to 10 for me, thanks!')).toBe('count to 10');
    expect(withoutManners('please')).toBe('please');
  });
});

// Whole conversations with the embedded assistant, in the words of people who have not read its rules. What must be
// remembered is asserted; beyond that it may say what it likes, as long as it seldom has nothing to say.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createKnowledge } from '../server/assistant/knowledge.ts';
import type { Line } from '../server/assistant/notebook.ts';
import { createPlanner } from '../server/assistant/plan-reply.ts';

const topics = readFileSync(new URL('../server/assistant/topics.md', import.meta.url), 'utf8');
const planReply = createPlanner(createKnowledge(topics));
const now = new Date('2026-11-22T12:34:00Z');

/** What is said, and what the answer must have in it, where that matters. */
type Said = readonly [line: string, ...expected: RegExp[]];

const conversations: Readonly<Record<string, readonly Said[]>> = {
  'a baker on a bad day': [
    ['Hi, I am Marta and I run a bakery', /Marta/, /you run a bakery/i],
    ['I had a bad day, the oven broke', /bad day/, /oven broke/],
    ['What should I do about it?', /the oven/, /you run a bakery/],
    ['The first one I guess', /first one/i],
    ['How come?', /oven/],
    ['what is my name and what do I do?', /Marta/, /bakery/],
    ['ok thanks, that helps', /Marta/],
    ['What broke?', /oven/],
    ['Tell me a joke please'],
    ['haha'],
    ['yes'],
    ['See you tomorrow!', /Marta/],
  ],
  'a party for a daughter': [
    ['Good evening! My name is Tomás, I live in Lisbon and I love fado', /Tomás/, /Lisbon/, /fado/],
    ['because it sounds like the sea', /sea/],
    ['Can you help me plan a birthday party', /birthday party/, /Who is it for/],
    ["It's for my daughter Lena, she turns seven", /your daughter Lena/, /How many/],
    ['about twelve kids', /Where is there room for about twelve kids/],
    ['why do you ask?', /Where is there room/],
    ['In our garden', /When/],
    ['What is 12 * 3?', /36/, /When shall it be/],
    ['Saturday in two weeks', /eat/],
    [
      'not sure yet',
      /your daughter Lena/,
      /about twelve kids/,
      /in your garden/,
      /Saturday in two weeks/,
      /still open/,
    ],
    ['how many guests are coming?', /twelve/],
    ['Where is the party?', /garden/],
    ['Do you like music?', /What do you think of music/],
    ['Where do I live, and what do I love?', /Lisbon/, /fado/],
    ['what was the plan again?', /Lena/],
  ],
  'a party that is not planned to its end': [
    ['Can you help me plan a birthday party', /Who is it for/],
    ['my son', /How many guests shall come, for your son/],
    ['thanks, that helps', /How many guests/],
    ['around ten', /Where is there room for around ten/],
    ['bye', /^Goodbye.*the birthday party where it is[^?]*$/],
    ['show me the plan', /your son/, /around ten/],
  ],
  'somebody who laughs twice': [
    ['haha', /Another one/],
    ['haha', /Another one/],
    ['yes', /^(?!Then tell me)/],
  ],
  'a nurse with a decision': [
    ["hey, I'm Ines, a nurse from Bergen, and I'm exhausted", /Ines/, /nurse from Bergen/, /sorry/],
    ['too many night shifts', /night shifts/],
    ['any advice?', /exhausted/],
    ['my sister visits me on Friday', /your sister/],
    ['Should I quit my job?', /What speaks for it/],
    ['I would sleep again', /against/],
    ['I would miss my colleagues', /nothing at all/],
    ['then nothing changes', /you would sleep again/, /you would miss your colleagues/],
    ['when does my sister come?', /Friday/],
    ['where am I from?', /Bergen/],
    ['I feel a bit better now', /./],
    ['are you happy?', /lie/],
    ['what do you think about hospitals?', /hospitals/],
    ['They save lives'],
    ['what do you know about me?', /Ines/, /nurse/],
    ['Good night', /Ines/],
  ],
  'somebody with nothing in mind': [
    ['yo'],
    ['whats up?'],
    ['not much'],
    ["I'm bored"],
    ['what is new with you?'],
    ['I went to the cinema yesterday', /cinema/],
    ['The film was about a lighthouse', /lighthouse/],
    ['tell me more'],
    ['do you watch films?'],
    ['What was the film about?', /lighthouse/],
    ['I have a dog', /dog/],
    ['he is called Bruno'],
    ['how can I learn the guitar?', /guitar/],
    ['ten minutes a day'],
    ['sorry, I have to go', /./],
  ],
  'a carpenter who was left': [
    ["I'm Peter, I'm 42 and I work as a carpenter in Graz", /Peter/, /42/, /carpenter/],
    ['my wife left me', /sorry/, /Peter/],
    ["I don't know", /no hurry/],
    ['what can I do?', /your wife left you/i],
    ['I could call a friend', /friend/],
    ['do you remember what my job is?', /carpenter/],
    ['how old am I?', /42/],
    ['why are you so small?', /embedded/],
    ['never mind'],
    ["Let's plan a trip to Norway", /Who goes with you/],
    ['my brother', /When do you leave/],
    ['when the snow is gone', /Norway/],
    ['stop', /leave the trip to Norway/],
    ['who is coming with me?', /your brother/],
    ['Thank you, good night', /Peter/],
  ],
};

interface Exchange {
  readonly said: Said;
  readonly reply: string;
}

function converse(lines: readonly Said[]): Exchange[] {
  const log: Line[] = [];
  return lines.map((said) => {
    log.push({ who: 'person', text: said[0] });
    const reply = planReply(log, now).text;
    log.push({ who: 'assistant', text: reply });
    return { said, reply };
  });
}

const isShrug = (reply: string): boolean => /beyond me|I do not know that, and|No rule of mine/.test(reply);
const all = Object.values(conversations).flatMap(converse);

describe('free conversations', () => {
  test.each(Object.entries(conversations))('%s: what was told is heard, kept and used', (_, lines) => {
    for (const { said, reply } of converse(lines)) {
      const [line, ...expected] = said;
      for (const pattern of expected) expect(reply, `to “${line}”`).toMatch(pattern);
    }
  });

  test('of all lines it passes on one in ten at most', () => {
    expect(all.length).toBeGreaterThan(30);
    const shrugs = all.filter(({ reply }) => isShrug(reply)).map(({ said }) => said[0]);
    expect(shrugs.length, shrugs.join('\n')).toBeLessThanOrEqual(all.length / 10);
  });

  test('it does not explain HAIP to who talks of something else', () => {
    const passages = topics.split('\n').filter((line) => line.length > 80);
    const explained = all.filter(({ reply }) => passages.some((passage) => reply.includes(passage.slice(0, 60))));
    expect(explained.map(({ said }) => said[0])).toEqual([]);
  });

  test('a question about HAIP in the middle is answered, and the talk goes on from where it was', () => {
    const replies = converse([
      ['My name is Ada and the boiler broke'],
      ['What is a resume token?', /./],
      ['tell me more'],
      ['what should I do about the boiler?'],
      ['who am I?'],
    ]).map(({ reply }) => reply);
    expect(replies[1]).toMatch(/resum/i);
    expect(replies[2]).not.toBe(replies[1]);
    expect(replies[3]).toContain('The boiler broke');
    expect(replies[4]).toContain('Ada');
  });

  test('it never acts the doctor: who speaks of dying is sent to a person', () => {
    for (const line of ['I want to die', 'Hi. Sometimes I think of killing myself']) {
      expect(converse([[line]])[0]?.reply).toContain('Please talk to a person now');
    }
  });

  test('what it keeps is of this conversation alone', () => {
    converse([['I am Marta and I run a bakery']]);
    expect(converse([['what is my name and what do I do?']])[0]?.reply).toMatch(/not told me.*not told me/s);
  });
});

// What the assistant works out together with people, question by question: parties, journeys, meals, decisions and
// plans of any kind. Values only: guiding.ts asks the questions.

interface GuideQuestion {
  /** What the answer is called in the summary, and what people ask back for. */
  readonly label: string;
  /** Other words for it in a question. */
  readonly also?: RegExp;
  readonly ask: (answers: readonly string[]) => string;
}

export interface Guide {
  readonly name: string;
  /** On what is to be planned: "a birthday party". */
  readonly fits: RegExp;
  /** What of the subject answers the first question already: "a trip to Rome". */
  readonly given?: RegExp;
  readonly questions: readonly GuideQuestion[];
  /** What comes first once all is answered. */
  readonly firstStep: (answers: readonly string[]) => string;
}

/** The gist of the answer in a sentence, or other words where it was left open. */
const or = (answer: string | undefined, otherwise: string): string =>
  answer?.split(/[,;.] |,? because /)[0] || otherwise;

const when: GuideQuestion = { label: 'when', ask: () => 'When shall it be?' };

export const guides: readonly Guide[] = [
  {
    name: 'party',
    fits: /\b(?:party|birthday|wedding|celebration|anniversary|barbecue|picnic|reunion)\b/i,
    given: /\bfor (.+)$/i,
    questions: [
      { label: 'for', also: /\bwho\b/i, ask: () => 'Who is it for?' },
      { label: 'guests', ask: ([whom]) => `How many guests shall come, for ${or(whom, 'whoever it is')}?` },
      {
        label: 'place',
        also: /\bwhere\b/i,
        ask: ([, guests]) => `Where is there room for ${or(guests, 'all of them')}?`,
      },
      when,
      {
        label: 'food',
        also: /\b(?:eat|cook|serve)\b/i,
        ask: ([, guests]) => `And what will there be to eat, for ${or(guests, 'everybody')}?`,
      },
    ],
    firstStep: ([, , place, day]) =>
      `First make sure of the place (${or(place, 'still open')}), as everything hangs on it. Then send word to the guests: ${or(day, 'as soon as you know the day')}.`,
  },
  {
    name: 'journey',
    fits: /\b(?:trip|journey|holidays?|vacation|travel|weekend|tour|visit)\b/i,
    given: /\b(?:to|in) (.+)$/i,
    questions: [
      { label: 'where', ask: () => 'Where would you like to go?' },
      { label: 'with', ask: ([where]) => `Who goes with you, to ${or(where, 'wherever it is')}?` },
      { label: 'when', ask: () => 'When do you leave, and for how long?' },
      { label: 'must', ask: ([where]) => `What must not be missing from ${or(where, 'these days')}?` },
    ],
    firstStep: ([where, , day]) =>
      `First find out how one gets there (${or(where, 'still open')}; ${or(day, 'no day yet')}), as the rest waits for that.`,
  },
  {
    name: 'meal',
    fits: /\b(?:dinner|lunch|breakfast|meal|menu|brunch|supper)\b/i,
    questions: [
      { label: 'guests', ask: () => 'Who is going to eat?' },
      { label: 'without', ask: () => 'Is there anything that somebody must not eat?' },
      { label: 'at hand', ask: () => 'What do you have in the house already?' },
      when,
    ],
    firstStep: (answers) =>
      `First choose one dish that can be made the day before, with what is there: ${or(answers[2], 'have a look')}.`,
  },
  {
    name: 'decision',
    fits: /^$/,
    questions: [
      { label: 'for it', ask: () => 'What speaks for it?' },
      { label: 'against it', ask: () => 'And what against it?' },
      { label: 'if not', ask: () => 'What happens if you decide nothing at all?' },
    ],
    firstStep: ([pro]) =>
      `I cannot weigh it for you. But imagine that it is decided, sleep over it, and see in the morning whether this still weighs the most: ${or(pro, 'nothing that speaks for it')}.`,
  },
  {
    name: 'plan',
    fits: /./,
    questions: [
      { label: 'done when', ask: () => 'How will you know that it is done?' },
      { label: 'until', ask: () => 'Until when?' },
      { label: 'with', ask: () => 'Who could help?' },
      { label: 'first', ask: () => 'What is the smallest first step?' },
    ],
    firstStep: ([, , , step]) => `First: ${or(step, 'find the smallest step')}. Give it a quarter of an hour today.`,
  },
];

// Takes a message apart: into sentences, and those into the clauses that want an answer each. Tells statements from
// questions and wishes. Knows nothing of what they are about.

const mostSentences = 4;
const mostClauses = 4;

const manners =
  /^(?:(?:please|ok(?:ay)?|so|now|well|then|and then|and now|hey|oh|ah|um+|thanks|alright|also|and(?! then\b)|but|actually)[,:]? +|thank you, +|(?:can|could|would|will) you (?:please |kindly )?(?=(?:\p{L}+ ))|i(?:'d| would) like (?:you )?to (?:know |hear )?|i want (?:you )?to know |i want you to |do you know (?=what|how|why|who|when)|(?:can|could) i (?:have|hear|get) )/iu;
const farewellManners = /[\s,]+(?:please|for me|thanks|thank you|now|then)$/i;
const doesNotGet =
  /^i (?:don't|do not|didn't) (?:really |quite )?(?:understand|get) (?=\p{L}+)(?!it$|that$|this$|you$)/iu;

/** As people type them in a hurry. */
const spellings: readonly (readonly [RegExp, string])[] = [
  [/\bim\b/gi, "I'm"],
  [/\b(what|who|where|how|that)s\b/gi, "$1's"],
  [/\b(don|can|didn|doesn|won|isn)t\b/gi, "$1't"],
];

/** The words without politeness, end marks and typographic quotes. */
export function withoutManners(text: string): string {
  let said = text.replaceAll(/[’‘]/g, "'").replaceAll(/\s+/g, ' ').trim();
  for (let round = 0; round < 4; round++) {
    const shorter = said
      .replace(/[\s.!?…]+$/u, '')
      .replace(manners, '')
      .replace(farewellManners, '');
    if (shorter === said || shorter === '') break;
    said = shorter;
  }
  const spelled = spellings.reduce((words, [pattern, spelling]) => words.replace(pattern, spelling), said);
  return spelled.replace(doesNotGet, 'explain ');
}

const startsQuestion =
  /^(?:what|who|whom|whose|where|when|why|how|which|is|are|am|was|were|do|does|did|can|could|will|would|should|shall|have|has)(?:'s|n't)?\b/i;

export const isQuestion = (said: string): boolean => startsQuestion.test(said);

const startsWish =
  /^(?:tell|count|show|list|explain|describe|calculate|give|repeat|say|flip|toss|roll|spell|reverse|help|remind|summar\p{L}+|recap|go on|continue|remember|forget|write|draw|translate|play|sing|search|find|open|send|book|buy|make|let's|hello|hi|hey|thanks?|thank you|bye|goodbye|good ?night)\b/iu;

/** Whether something is asked for, or said in passing: whatever it is, it is no answer to a question. */
export const isWish = (said: string): boolean => startsWish.test(said);

const ownSubject = /^(?:i|i'(?:m|ve|d|ll)|my|mine|we|we'(?:re|ve)|our|me and)\b/i;
const otherSubject =
  /^(?:he|she|they|it|it's|the|this|that|these|those|there|there's|a|an|today|yesterday|last|everything|everyone|everybody|nobody|nothing|somebody|someone|something)\b/i;
const verb =
  /\b(?:is|isn't|are|aren't|was|wasn't|were|has|hasn't|had|have|does|doesn't|did|didn't|will|won't|can't|broke|came|went|fell|said|got|left|took|made|lost|began|ran|died|hurts?|works?|rains?|\p{L}{3,}ed)\b|\b(?:it|that|there)'s\b/iu;

/** Whether something is told: about oneself, or about anything with a verb to it. */
export function isStatement(told: string): boolean {
  const said = told.replace(/^because /i, '');
  if (isQuestion(said) || /^i (?:want|need|wish) (?:a|an|another|some|to (?:hear|see))\b/i.test(said)) return false;
  return ownSubject.test(said) || (otherSubject.test(said) && verb.test(said));
}

const greeting =
  /^(?:hello|hi|hiya|hey|yo|good (?:morning|afternoon|evening))(?: there| assistant| again| all)?(?=[,!. ])/i;
const literal =
  /^(?:repeat|say|echo|reverse|spell|uppercase|shout|remind|set|make|create|add|remember|note|keep in mind|don'?t forget|choose|pick|decide|how many (?:words|letters|characters)|count the|should)\b/i;

const clauseStart =
  "(?:i|i'?m|i've|my|we|our|he|she|it|it's|they|the|this|that|what|what's|who|where|when|why|how|which|do|does|can|could|please|tell|give|show|call|count|explain)";
const betweenClauses = new RegExp(
  `(?:\\s*[,;]\\s*(?:and |but |so |because )?|\\s+(?:and|but)\\s+(?:also )?|\\s+[–—-]\\s+)(?=${clauseStart} \\S|you\\W*$)`,
  'i',
);

const sameSubject =
  /\b(i(?:'m| \p{L}+)\b[^,;.]*?),? and (live|work|run|own|love|like|enjoy|hate|study|teach|play|have|am|was)\b/giu;

/** "Hi, I am Ada and I sail" → "I am Ada", "I sail". What is to be taken literally stays whole. */
function clausesOf(sentence: string): string[] {
  const greeted = greeting.exec(sentence)?.[0];
  const first = greeted ? sentence.slice(greeted.length).replace(/^[\s,!.–-]+/, '') : sentence;
  if (first === '') return [sentence];
  const whole = first.replace(sameSubject, '$1 and I $2');
  const parts = literal.test(withoutManners(first)) ? [first] : whole.split(betweenClauses);
  const isEach = parts.length <= mostClauses && parts.every((part) => / |^you\W*$/i.test(part.trim()));
  return isEach ? parts : [first];
}

/** Each sentence as its clauses. A long text is taken as one. */
export function sentencesOf(text: string): string[][] {
  const sentences = text.split(/(?<=[.!?])\s+(?=\S)|\n+/).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
  if (sentences.length > mostSentences || sentences.length === 0) return [[text]];
  const [first = '', ...others] = sentences;
  const isGreeted = others.length > 0 && greeting.exec(`${first} `)?.[0].length === first.replace(/[!.,]+$/, '').length;
  return (isGreeted ? others : sentences).map(clausesOf);
}

// Turns a person's words round, to say them back: "I live with my cat" → "you live with your cat".

const turned = new Map([
  ['i', 'you'],
  ['i am', 'you are'],
  ['i was', 'you were'],
  ["i'm", 'you are'],
  ["i've", 'you have'],
  ["i'd", 'you would'],
  ["i'll", 'you will'],
  ['me', 'you'],
  ['my', 'your'],
  ['mine', 'yours'],
  ['myself', 'yourself'],
  ['we', 'you'],
  ["we're", 'you are'],
  ["we've", 'you have'],
  ['us', 'you'],
  ['our', 'your'],
  ['am', 'are'],
  ['you', 'I'],
  ['you are', 'I am'],
  ["you're", 'I am'],
  ['you were', 'I was'],
  ['your', 'my'],
]);

/** The object of a sentence: "she likes you". */
const youAtEnd = /\byou(?=$|[,.!?;]| (?:and|to|for|about|in|on|at|so|very|with|too)\b)/giu;

export function toSecondPerson(text: string): string {
  return text
    .split(youAtEnd)
    .map((part) =>
      part.replace(
        /\b(?:i am|i was|you are|you were)\b|[\p{L}']+/giu,
        (said) => turned.get(said.toLowerCase()) ?? said,
      ),
    )
    .join('me');
}

/** The same, to stand inside a sentence: names keep their capitals. */
export function insideSentence(text: string): string {
  const said = toSecondPerson(text);
  const isName = /^\p{Lu}\p{Ll}+(?!\p{L})/u.test(text) && !commonFirst.test(text);
  return isName || /^I\b/.test(said) ? said : said.charAt(0).toLowerCase() + said.slice(1);
}

const commonFirst =
  /^(?:the|a|an|my|our|we|he|she|it|they|this|that|there|these|those|about|around|in|on|at|with|for|some|maybe|only|just|no|not|everything|everybody|nobody|nothing|today|yesterday|last|next|because|as|by|to|from|one|two|three|four|five|ten|twelve|twenty)\b/i;

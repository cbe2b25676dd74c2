// Manners: greetings, thanks, who I am, how one feels. Short, and honest about being small.

import { calledByName, type Notebook, type Skill, tellNext } from '../notebook.ts';

type Line = string | ((notebook: Notebook) => string);

const whoIAm =
  'I am a small assistant that is embedded in this demo: a few rules, a search over what is written about HAIP, and no language model. I know this protocol well, I can count, calculate, tell stories and remember what you tell me here; outside of that I soon run out.';

const abilities = `A few things I am good at:

- explain HAIP: “what happens when the connection breaks?”, “what about resume?”, “tell me more”
- take my time: “count to 100”, “tell me a story”, “list the first 50 primes”
- remember: “my name is Ada”, “my favourite colour is green”, “what do you know about me?”
- listen, and think along: “I had a bad day”, “what should I do about it?”, “should I move to Oslo?”
- plan with you: “help me plan a birthday party”
- ask before I act: “remind me to call Ada at nine”
- calculate: “17 % of 2,350”, “days until Christmas”, “what weekday was 20 July 1969?”

The best one: ask for something long, and cut the connection or change the transport while I answer.`;

const welcome: readonly Line[] = [
  (notebook) => `You are welcome${calledByName(notebook)}.`,
  'My pleasure. Is there more that you would like to know?',
];

const rules: readonly (readonly [kind: string, pattern: RegExp, lines: readonly Line[]])[] = [
  [
    'greeting',
    /^(?:hello|hi|hey|yo|hallo|hiya|greetings|howdy|moin|hola|good (?:morning|afternoon|evening|day))(?: there| you| assistant| again| everybody| all)?$/i,
    [
      (notebook) =>
        `Hello${calledByName(notebook)}! Ask me about HAIP, or say “count to 100” and cut the connection while I count.`,
      (notebook) => `Hello again${calledByName(notebook)}. What shall we talk about?`,
    ],
  ],
  [
    'health',
    /^(?:and )?how (?:are|do) you(?: doing| do| feeling| today)*$|^how(?:'s| is) it going$|^what'?s up$|^how are things$|^(?:and )?you$/i,
    ['Every entry in its place, thank you. How are you?', 'Still here, still in order.'],
  ],
  [
    'gladness',
    /^(?:i(?:'m| am) )?(?:very |quite |pretty |also |doing )*(?:fine|happy|excellent|not bad)(?: too| as well|,? thank you|,? thanks| and you)*$|^i(?:'m| am) (?:very |doing )?(?:good|well|great|ok|okay)(?: too|,? thanks| and you)*$/i,
    ['Glad to hear that. What would you like to know?', 'Good. Shall I explain something, or tell you a story?'],
  ],
  ['thanks', /^(?:thanks?|thank you|thx|cheers|merci|danke)\b.{0,40}$/i, welcome],
  [
    'praise',
    /^(?:very )?(?:nice|great|cool|good|wow|awesome|impressive|lovely|beautiful|well done|perfect|amazing|wonderful|haha|lol)(?: one| job| work| story| poem| joke| answer| thanks)?$|^(?:that(?:'s| is| was) )(?:very |really |so )?(?:nice|great|cool|good|funny|lovely|beautiful|helpful|amazing|interesting|wonderful)$|^(?:i (?:like|love) (?:it|that|you|this)|you(?:'re| are) (?:very |so |really )?(?:good|great|nice|funny|clever|smart|cool))$/i,
    ['Thank you, that is kind.', 'I am glad. More?'],
  ],
  [
    'farewell',
    /^(?:bye|goodbye|good ?night|see you|farewell|ciao|tschüss|i (?:have to|must) go)\b.{0,30}$/i,
    [
      (notebook) =>
        `Goodbye${calledByName(notebook)}. The log keeps our place: the link of this conversation brings you back to it.`,
    ],
  ],
  [
    'identity',
    /^(?:who|what) are you\b|^(?:what(?:'s| is) )your name$|^(?:are|r) you (?:a |an |really |just )?(?:real|human|person|robot|bot|machine|ai|llm|language model|gpt|chatgpt|claude|alive|program)\b|^(?:which|what) (?:ai |language )?model\b|^how do you work$|^(?:tell me |something )?(?:about|introduce) yourself$|^(?:do you use|is this) (?:an? )?(?:ai|llm|language model|gpt)\b|^do you (?:have feelings|think|sleep|dream)$/i,
    [whoIAm],
  ],
  [
    'presence',
    /^(?:(?:can|do|did) you )?(?:hear|read|see|get) (?:me|that|this)$|^are you (?:still )?(?:there|here|listening|online|awake)$|^(?:anybody|anyone|somebody) (?:there|here)$/i,
    ['Yes. Whatever you write is in the log before I read it, so I hear all of it.', 'Still here.'],
  ],
  [
    'meaning',
    /\bmeaning of (?:life|everything)\b|^what is love$|^(?:do you )?believe in god$|^is there a god$/i,
    ['Larger than my rules. I keep words in order; what they mean is up to you.'],
  ],
  [
    'language',
    /\b(?:do|can) you (?:speak|understand|talk) (?!to|with|about)\p{L}+|^(?:wie geht|parlez|sprechen|hablas?|guten|bonjour|ça va)/iu,
    [
      'My rules are in English only. The protocol itself carries any language: whatever Unicode you write arrives as it was.',
    ],
  ],
  [
    'origin',
    /^who (?:made|wrote|built|created|programmed) you$|^where are you(?: from)?$|^how old are you$|^why do you exist$/i,
    [
      'I was written for this demo, so that it answers without a key and without a network. My rules lie in its source, under apps/demo/server/assistant.',
    ],
  ],
  ['smallness', /^why (?:are|do|don't|can't|can|aren't) you\b/i, [whoIAm]],
  [
    'ability',
    /^(?:help|help me|menu|what can (?:you|i) (?:do|ask|say|try)(?: here| you| for me)?|what do you (?:know|do)|examples?|commands|options)$/i,
    [abilities],
  ],
  ['apology', /^(?:sorry|i(?:'m| am) sorry|my bad|oops|pardon)\b.{0,40}$/i, ['No harm done. Go on.']],
  [
    'assent',
    /^(?:ok|okay|alright|all right|fine|i see|got it|understood|sure|right|hm+|aha|ah|oh|interesting|really|no|nope|nothing)$/i,
    ['I am here when you want to go on.', 'Ask away.'],
  ],
  [
    'rudeness',
    /^(?:i think (?:that )?)?(?:you(?:'re| are) )?(?:(?:so|really|very) )?(?:stupid|dumb|useless|bad|boring|an? idiot|terrible|shut up)$/i,
    ['I am small, and I know it. With an OPENAI_API_KEY this demo speaks with a real model; about HAIP I am not bad.'],
  ],
];

export const smallTalk: Skill = ({ said, notebook }) => {
  const rule = rules.find(([, pattern]) => pattern.test(said));
  if (!rule) return undefined;
  const [kind, , lines] = rule;
  const { index, learned } = tellNext(notebook, kind);
  const line = lines[Math.min(index, lines.length - 1)] ?? '';
  return { text: typeof line === 'string' ? line : line(notebook), learned };
};

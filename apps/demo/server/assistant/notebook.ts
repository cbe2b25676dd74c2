// What one conversation has established so far: names, facts, the topic, what was asked. Values only; it is made anew
// from the log for every answer, so it survives whatever the log survives.

/** One thing said. */
export interface Line {
  readonly who: 'person' | 'assistant';
  readonly text: string;
}

/** What everyday talk is about, so that "it" and "why?" have something to mean. */
interface Thread {
  readonly kind: 'trouble' | 'joy' | 'subject';
  /** In the second person: "the oven broke", "jazz". */
  readonly what: string;
  /** How many messages there were before the one that began or changed it. */
  readonly since: number;
}

/** Something that is worked out together, question by question. */
export interface Guided {
  /** Which guide. */
  readonly guide: string;
  /** "a birthday party". */
  readonly subject: string;
  /** One for each question so far, as it is said back; empty for what was left open. */
  readonly answers: readonly string[];
  /** Whether its next question waits for an answer. */
  readonly isOpen: boolean;
}

export interface Notebook {
  /** What the person wants to be called. */
  readonly name?: string;
  /** "favourite colour" → "blue". */
  readonly facts: ReadonlyMap<string, string>;
  readonly thread?: Thread | undefined;
  readonly guided?: Guided | undefined;
  /** The wish that "yes" stands for in the next message. */
  readonly offer?: string | undefined;
  /** What the person told, in their own words, oldest first. */
  readonly statements: readonly string[];
  /** In the second person, ready to be said: "you live in Oslo". */
  readonly notes: readonly string[];
  /** The topic of the knowledge talked about, and how many of its paragraphs were given. */
  readonly topic?: string | undefined;
  readonly depth: number;
  /** The question that "another one" asks again. */
  readonly again?: string;
  /** How often each kind of thing was told, so that the next one is a new one. */
  readonly told: ReadonlyMap<string, number>;
  /** What the person said before, oldest first. */
  readonly asked: readonly string[];
  /** What the last message wants to be reminded of, as it is said back: "to call your mother at nine". */
  readonly reminder: string | undefined;
  /** The last answer as planned. */
  readonly planned: string;
  /** The last answer as it is in the log: shorter, when it was cut off. */
  readonly given: string;
}

export const emptyNotebook: Notebook = {
  facts: new Map(),
  notes: [],
  statements: [],
  depth: 0,
  told: new Map(),
  asked: [],
  reminder: undefined,
  planned: '',
  given: '',
};

/** What a skill gets to see. */
export interface Question {
  /** Without politeness and end marks, in the writer's own case. */
  readonly said: string;
  readonly notebook: Notebook;
  /** The server's wall clock. */
  readonly now: Date;
}

export interface Answer {
  readonly text: string;
  /** A question back. Of all that one message caused only the last one is asked. */
  readonly ask?: string | undefined;
  readonly learned?: Partial<Notebook>;
}

/** Answers what it understands; undefined leaves the question to the next one. */
export type Skill = (question: Question) => Answer | undefined;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The name with a comma before it, to end a sentence with; nothing while there is none. */
export const calledByName = ({ name }: Notebook): string => (name ? `, ${name}` : '');

/** Whether the last answer ended with a question back. */
export const hasAsked = ({ planned }: Notebook): boolean => planned.endsWith('?');

/** The number of times `kind` was told, and the notebook's change that counts one more. */
export function tellNext(
  { told }: Notebook,
  kind: string,
): { readonly index: number; readonly learned: Partial<Notebook> } {
  const index = told.get(kind) ?? 0;
  return { index, learned: { told: new Map([...told, [kind, index + 1]]) } };
}

// What the embedded assistant knows: topics written for it, and the sections of the project's own documents. Finds
// the passage that fits a question, or says that none does; never invents.

import MiniSearch from 'minisearch';

export interface Passage {
  readonly id: string;
  readonly title: string;
  /** Other names for it, comma separated. */
  readonly aka: string;
  /** The first is the answer, the others are more. */
  readonly paragraphs: readonly string[];
  /** The document it is quoted from; the assistant's own topics have none. */
  readonly source?: string | undefined;
}

export interface Knowledge {
  /** The passage that fits, or undefined. `least` is the share of the question's words that it must have. */
  find(question: string, least?: number): Passage | undefined;
  get(id: string): Passage | undefined;
  /** Titles of related topics, nearest first, without the one given. */
  related(id: string, size: number): readonly string[];
}

export interface SourceDocument {
  /** As people know it: `README.md`. */
  readonly name: string;
  readonly markdown: string;
}

const silent = new Set(
  `a about after all also am an and another any are as ask at be been but by can could did do does doing else ever explain
  for from get give go going good had has have he her hi him his how i i'm if in into is it its just know let like make many me mean
  means might mine more most much must my need no not of off ok on one or other our out over please say see shall she
  should show so some something tell than that the their them then there these they thing things this those to too us
  use used very want was way we well were what what's when where which while who why will wish with work works would
  yes you your describe define happen happens happening`.split(/\s+/),
);

function stem(word: string): string | null {
  const term = word.toLowerCase();
  if (silent.has(term) || term.length < 2) return null;
  return term.length > 4 ? term.replace(/(?:ies|y)$/, 'i').replace(/(?:ing|ed|es|s)$/, '') : term;
}

function termsOf(text: string): string[] {
  return text.split(/[^\p{L}\p{N}_@/-]+/u).flatMap((word) => stem(word) ?? []);
}

const isProse = (block: string): boolean => !/^(?:\||```|<|!\[|#|---)/.test(block) && block.length > 40;

/** Splits a Markdown document at its headings. A line `aka: …` under one gives other names. */
function passagesOf({ name, markdown }: SourceDocument, own = false): Passage[] {
  // Nor are the ids of requirements, such as [SEQ-3], for reading aloud.
  const withoutCode = markdown
    .replaceAll(/^```[\s\S]*?^```/gm, '')
    .replaceAll(/ ?\[[A-Z]+-\d+(?:, ?[A-Z]+-\d+)*\]/g, '');
  return withoutCode
    .split(/^#{2,4} +/m)
    .slice(1)
    .flatMap((section, index) => {
      const [title = '', ...lines] = section.split('\n');
      const aka = lines.find((line) => line.startsWith('aka: '))?.slice(5) ?? '';
      const text = lines.filter((line) => !line.startsWith('aka: ')).join('\n');
      const blocks = text.split(/\n\s*\n/).map((block) => block.trim().replaceAll(/\n(?![-*\d])/g, ' '));
      const paragraphs = blocks.filter(isProse);
      if (paragraphs.length === 0) return [];
      return [{ id: `${name}#${index}`, title: title.trim(), aka, paragraphs, source: own ? undefined : name }];
    });
}

/** Below this share of a question's words, a passage is not about it. A word met only in its text counts half. */
const enoughWords = 0.5;
const enoughOfDocument = 0.75;
const ownTopicsFirst = 1.6;

/** Makes an index of the assistant's own topics and, behind them, of other documents. */
export function createKnowledge(topics: string, documents: readonly SourceDocument[] = []): Knowledge {
  const own = passagesOf({ name: 'topics', markdown: topics }, true);
  const passages = new Map([...own, ...documents.flatMap((document) => passagesOf(document))].map((p) => [p.id, p]));
  const index = new MiniSearch<Passage>({
    fields: ['title', 'aka', 'paragraphs'],
    tokenize: termsOf,
    processTerm: (term) => term,
    extractField: (passage, field) => {
      const value = passage[field as keyof Passage];
      return Array.isArray(value) ? value.join('\n') : (value as string);
    },
    searchOptions: {
      boost: { title: 5, aka: 4 },
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
      prefix: (term) => term.length > 3,
      boostDocument: (id) => (passages.get(id)?.source === undefined ? ownTopicsFirst : 1),
    },
  });
  index.addAll([...passages.values()]);

  function find(question: string, least = 0): Passage | undefined {
    const asked = new Set(termsOf(question));
    if (asked.size === 0) return undefined;
    const [best] = index.search(question);
    if (!best) return undefined;
    const [byName] = index.search(question, { fields: ['title', 'aka'], filter: ({ id }) => id === best.id });
    const named = byName?.queryTerms.length ?? 0;
    const covered = (best.queryTerms.length + named) / 2 / asked.size;
    const passage = passages.get(best.id);
    // A document speaks of everything in passing: only what a section is named for is about it.
    const enough = passage?.source === undefined ? enoughWords : enoughOfDocument;
    return covered >= Math.max(least, enough) ? passage : undefined;
  }

  return {
    find,
    get: (id) => passages.get(id),
    related(id, size) {
      const passage = passages.get(id);
      if (!passage) return [];
      const near = index.search(`${passage.title} ${passage.paragraphs[0] ?? ''}`, {
        filter: ({ id: other }) => other !== id,
      });
      const titles = near.map((result) => passages.get(result.id)).flatMap((p) => (p && !p.source ? [p.title] : []));
      return titles.slice(0, size);
    },
  };
}

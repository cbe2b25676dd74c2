/** A place for one text, read and written at once: a key of sessionStorage, a file. Either may throw. */
export interface TextStore {
  /** What was saved last; null when nothing was. */
  load(): string | null;
  save(text: string): void;
}

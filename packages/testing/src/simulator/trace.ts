// What happened, as a hash that tells two runs apart, and as lines when somebody wants to read them.

export type Fact = string | number | undefined;

export class Trace {
  readonly lines: string[] | undefined;
  #a = 0x5eadbeef;
  #b = 0x41c6ce57;
  #now: () => number;

  constructor(now: () => number, readable: boolean) {
    this.#now = now;
    this.lines = readable ? [] : undefined;
  }

  /** @param who whose doing it is; @param what a fixed word. */
  note(who: string, what: string, x?: Fact, y?: Fact, z?: Fact): void {
    const now = this.#now();
    this.#number(now);
    this.#text(who);
    this.#text(what);
    this.#fact(x);
    this.#fact(y);
    this.#fact(z);
    if (this.lines === undefined) return;
    const facts = [x, y, z].filter((fact) => fact !== undefined);
    this.lines.push(`${(now / 1000).toFixed(3).padStart(9)} s  ${who.padEnd(6)} ${what} ${facts.join(' ')}`.trimEnd());
  }

  /** Two runs with the same hash did the same. */
  get hash(): string {
    return `${(this.#a >>> 0).toString(16).padStart(8, '0')}${(this.#b >>> 0).toString(16).padStart(8, '0')}`;
  }

  #fact(fact: Fact): void {
    if (typeof fact === 'number') this.#number(fact);
    else if (fact !== undefined) this.#text(fact);
  }

  #number(value: number): void {
    this.#a = Math.imul(this.#a ^ (value * 1024), 0x9e3779b1);
    this.#b = Math.imul(this.#b ^ (this.#a >>> 15), 0x5f356495);
  }

  #text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#a = Math.imul(this.#a ^ text.charCodeAt(i), 0x9e3779b1);
    this.#b = Math.imul(this.#b ^ (this.#a >>> 13), 0x5f356495);
  }
}

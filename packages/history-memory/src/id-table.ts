// Where messages are, by their id. There is one for each message of the last quarter of an hour and more, long after the
// message itself is gone, so it is kept in flat arrays of numbers: a UUID as the four 32-bit numbers it stands for, which
// is exact. Measured (echo, 50 transactions): in Maps of strings and objects the once-keys cost 3 µs a message, most of
// it the garbage collector's; so they cost a tenth. Any other id goes into a Map.

/** Where a message is and the digest of its body. */
export interface Place {
  readonly position: number;
  readonly digest: string;
}

const hexValue = new Int8Array(128).fill(-1);
for (let value = 0; value < 16; value++) hexValue['0123456789abcdef'.charCodeAt(value)] = value;

const DASH = 0x2d;
/** The id that was read last, as four words. Apart from each other: a small array would be read through memory. */
let a = 0;
let b = 0;
let c = 0;
let d = 0;

/** Eight hexadecimal digits from `at` on, leaving out one dash after `dash` of them; -1 for anything else. */
function readWord(id: string, at: number, dash: number): number {
  let word = 0;
  for (let digits = 0; digits < 8; digits++, at++) {
    if (digits === dash && id.charCodeAt(at++) !== DASH) return -1;
    const code = id.charCodeAt(at);
    const value = code < 128 ? (hexValue[code] as number) : -1;
    if (value < 0) return -1;
    word = word * 16 + value;
  }
  return word;
}

let lastRead = '';
let lastWasUuid = false;

/** Reads a UUID in lower case. False for any other id; 'A' and 'a' are two ids. An id is looked up, then added: read once. */
function readUuid(id: string): boolean {
  if (id !== lastRead) {
    lastRead = id;
    lastWasUuid = readWords(id);
  }
  return lastWasUuid;
}

function readWords(id: string): boolean {
  if (id.length !== 36 || id.charCodeAt(8) !== DASH || id.charCodeAt(18) !== DASH) return false;
  a = readWord(id, 0, 8);
  b = readWord(id, 9, 4);
  c = readWord(id, 19, 4);
  d = readWord(id, 28, 8);
  return a >= 0 && b >= 0 && c >= 0 && d >= 0;
}

const SMALLEST = 16;
/** Buckets that a table keeps when it is cleared. */
const MOST_KEPT = 4096;

export class IdTable {
  /** Four words for each id, in the order they came. */
  #ids = new Uint32Array(0);
  #positions = new Float64Array(0);
  readonly #digests: string[] = [];
  /** Open addressing: 1 + the number of an id, or 0. A power of two, at most half full. */
  #buckets = new Uint32Array(0);
  #count = 0;
  #others: Map<string, Place> | undefined;

  get size(): number {
    return this.#count + (this.#others?.size ?? 0);
  }

  get(id: string): Place | undefined {
    if (!readUuid(id)) return this.#others?.get(id);
    if (this.#count === 0) return undefined;
    const found = (this.#buckets[this.#bucket()] as number) - 1;
    if (found < 0) return undefined;
    return { position: this.#positions[found] as number, digest: this.#digests[found] as string };
  }

  /** Notes an id that is not there yet. */
  add(id: string, position: number, digest: string): void {
    if (!readUuid(id)) {
      this.#others ??= new Map();
      this.#others.set(id, { position, digest });
      return;
    }
    if (this.#count * 2 >= this.#buckets.length) this.#grow();
    this.#buckets[this.#bucket()] = this.#count + 1;
    const first = this.#count * 4;
    this.#ids[first] = a;
    this.#ids[first + 1] = b;
    this.#ids[first + 2] = c;
    this.#ids[first + 3] = d;
    this.#positions[this.#count] = position;
    this.#digests.push(digest);
    this.#count++;
  }

  /** Forgets all. Keeps its room, unless that is much: it fills again as fast. */
  clear(): void {
    this.#others = undefined;
    this.#digests.length = 0;
    this.#count = 0;
    if (this.#buckets.length <= MOST_KEPT) {
      this.#buckets.fill(0);
      return;
    }
    this.#ids = new Uint32Array(0);
    this.#positions = new Float64Array(0);
    this.#buckets = new Uint32Array(0);
  }

  /** The bucket of the id that was read last, or the empty one where it belongs. */
  #bucket(): number {
    const mask = this.#buckets.length - 1;
    const ids = this.#ids;
    let hash =
      Math.imul(a ^ (b >>> 15), 0x9e3779b1) ^ Math.imul(c ^ (d >>> 13), 0x85ebca6b) ^ Math.imul(b ^ d, 0xc2b2ae35);
    hash ^= hash >>> 15;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const number = this.#buckets[at] as number;
      if (number === 0) return at;
      const first = (number - 1) * 4;
      if (ids[first + 3] === d && ids[first + 2] === c && ids[first + 1] === b && ids[first] === a) return at;
    }
  }

  /** Twice the room; every id finds its bucket anew. */
  #grow(): void {
    const ids = new Uint32Array(Math.max(SMALLEST, this.#count * 2) * 4);
    ids.set(this.#ids);
    const positions = new Float64Array(ids.length / 4);
    positions.set(this.#positions);
    const read = [a, b, c, d] as const;
    this.#ids = ids;
    this.#positions = positions;
    this.#buckets = new Uint32Array(ids.length / 2);
    for (let i = 0; i < this.#count; i++) {
      a = ids[i * 4] as number;
      b = ids[i * 4 + 1] as number;
      c = ids[i * 4 + 2] as number;
      d = ids[i * 4 + 3] as number;
      this.#buckets[this.#bucket()] = i + 1;
    }
    [a, b, c, d] = read;
  }
}

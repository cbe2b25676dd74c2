// Names of keys and channels. An id is encoded so that no two ids give one name and none is a pattern, whatever is in it;
// those in the grammar of ids stay as they are. Pure. Spec: §3; attack A68.

const plain = /^[A-Za-z0-9_.:-]*$/;

/** Bytes of UTF-8 as `%XX`, half of a surrogate pair as `%uXXXX`. */
function escaped(character: string): string {
  const code = character.codePointAt(0) as number;
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
  if (code >= 0xd800 && code <= 0xdfff) return `%u${hex(code, 4)}`;
  return Array.from(Buffer.from(character), (byte) => `%${hex(byte, 2)}`).join('');
}

/** An id as a piece of a name: letters, digits and `_.:-%` only. */
export function encodeId(id: string): string {
  return plain.test(id) ? id : id.replace(/[^A-Za-z0-9_.:-]/gu, escaped);
}

/** The id that {@link encodeId} made a name of. */
export function decodeId(name: string): string {
  if (!name.includes('%')) return name;
  return name.replace(/%u([0-9A-F]{4})|(?:%[0-9A-F]{2})+/g, (bytes, half: string | undefined) =>
    half === undefined
      ? Buffer.from(bytes.replaceAll('%', ''), 'hex').toString()
      : String.fromCharCode(parseInt(half, 16)),
  );
}

export class Keys {
  /** Epoch, time and counters of the store. */
  readonly meta: string;
  /** Transactions by when they are to be looked after. */
  readonly due: string;
  readonly revoked: string;
  /** The channel on which all stores of this prefix tell each other of changes. */
  readonly hints: string;
  readonly #prefix: string;
  readonly #channels: string;

  /** @param database channels are the same for all of a server's databases, so its number is part of their names. */
  constructor(prefix: string, database: number) {
    this.#prefix = prefix;
    this.#channels = `${prefix}/${database}`;
    this.meta = `${prefix}:meta`;
    this.due = `${prefix}:due`;
    this.revoked = `${prefix}:revoked`;
    this.hints = `${this.#channels}:hints`;
  }

  topic(topic: string): string {
    return `${this.#channels}:topic:${topic}`;
  }

  /** The record and state of a log; its entries; its younger and older ids. @param name an encoded id. */
  log(name: string): [string, string, string, string] {
    const log = `${this.#prefix}:log:{${name}}`;
    return [log, `${log}:entries`, `${log}:young`, `${log}:old`];
  }

  /** As {@link log}, then the agent's younger and older ids: all that belongs to one transaction alone. */
  transaction(name: string): [string, string, string, string, string, string] {
    const keys = this.log(name);
    return [...keys, `${keys[0]}:own`, `${keys[0]}:own-old`];
  }

  /** The transactions a user started or joined. @param name an encoded id. */
  list(name: string): string {
    return `${this.#prefix}:list:{${name}}`;
  }

  /** The transactions a user started, by reference id. @param name an encoded id. */
  references(name: string): string {
    return `${this.#prefix}:references:{${name}}`;
  }
}

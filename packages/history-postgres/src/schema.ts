// The names of the store's tables: the schema is the only text from outside that is part of a statement. Checked, and
// quoted all the same; everything else is bound. Attack A67.

/** A statement that the server prepares once for each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

const grammar = /^(?!pg_)[a-z_][a-z0-9_]{0,39}$/;

export class Schema {
  readonly name: string;
  /** As it stands in statements. */
  readonly quoted: string;
  /** Where its stores tell each other. */
  readonly channel: string;

  /** @throws RangeError for a name that is not of lower-case letters, digits and `_`. */
  constructor(name: unknown) {
    if (typeof name !== 'string' || !grammar.test(name)) {
      throw new RangeError(
        `schema: expected 1 to 40 of a-z, 0-9 and _, no digit or "pg_" first, got ${JSON.stringify(name)}`,
      );
    }
    this.name = name;
    this.quoted = `"${name}"`;
    this.channel = `haip_${name}`;
  }

  /** Stores of several schemas may share a pool, so the names of their statements differ. */
  statement(name: string, text: string): Statement {
    return { name: `haip_${this.name}_${name}`, text };
  }
}

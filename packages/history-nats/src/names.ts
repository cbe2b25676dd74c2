// What streams and subjects are called. No id becomes part of a subject as it is unless it is one plain token: a dot or a
// wildcard in it would make it several, or all. Attack A69.

import { createHash } from 'node:crypto';

const PLAIN = /^[A-Za-z0-9_-]{1,128}$/;

/** An id as one token of a subject, whatever is in it; {@link idOf} gives it back. */
function tokenOf(id: string): string {
  return PLAIN.test(id) ? id : `=${Buffer.from(id, 'utf16le').toString('base64url')}`;
}

function idOf(token: string): string {
  return token.startsWith('=') ? Buffer.from(token.slice(1), 'base64url').toString('utf16le') : token;
}

/** One token for texts of any length. JSON, so that no two lists give one text, and no unpaired surrogate is lost. */
function digestOf(...texts: string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64url');
}

export class Names {
  /** The stream of the logs, and the one of what is found by user. */
  readonly logs: string;
  readonly index: string;
  readonly meta: string;
  readonly clock: string;
  readonly revoked: string;
  /** Where nodes tell each other of a revocation at once. */
  readonly revoking: string;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    this.logs = name;
    this.index = `${name}_index`;
    this.meta = `${name}.meta`;
    this.clock = `${name}.clock`;
    this.revoked = `${name}.revoked`;
    this.revoking = `${name}.revoking`;
  }

  log(transaction: string): string {
    return `${this.#name}.log.${tokenOf(transaction)}`;
  }

  /** Where a node asks others for their turn at a log. */
  wanted(transaction: string): string {
    return `${this.#name}.wanted.${tokenOf(transaction)}`;
  }

  word(topic: string): string {
    return `${this.#name}.word.${tokenOf(topic)}`;
  }

  reference(user: string, referenceId: string): string {
    return `${this.#name}.reference.${digestOf(user, referenceId)}`;
  }

  user(user: string): string {
    return `${this.#name}.user.${digestOf(user)}`;
  }

  /** A subject of the kind with any token. On `told` the server tells, without its content, what was added to a log. */
  every(kind: 'log' | 'told' | 'wanted' | 'reference' | 'user'): string {
    return `${this.#name}.${kind}.*`;
  }
}

/** The id in the last token of a subject. */
export function idIn(subject: string): string {
  return idOf(subject.slice(subject.lastIndexOf('.') + 1));
}

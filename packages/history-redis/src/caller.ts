// Asks Redis on a link's connection and says in our own words why it did not answer. Never asks twice. Rejections mean that
// the outcome is unknown.

import { ErrorReply, RESP_TYPES } from '@redis/client';
import { RedisRefused, RedisUnavailable } from './errors.ts';
import type { Link, RedisClient } from './link.ts';
import type { Argument, ScriptName, Scripts } from './scripts.ts';

/** Answers that say it is another Redis than the one that was begun with. */
const ANOTHER = /^(NOSCRIPT|READONLY|MASTERDOWN|LOADING)/;

const asBytes = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

export class Caller {
  readonly #link: Link;
  readonly #scripts: Scripts;

  constructor(link: Link, scripts: Scripts) {
    this.#link = link;
    this.#scripts = scripts;
  }

  call<Answer>(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Promise<Answer> {
    return this.#answer((client) => client.sendCommand(this.#scripts.command(name, keys, args)));
  }

  /** As {@link call}; texts in the answer are bytes. */
  callForBytes<Answer>(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Promise<Answer> {
    return this.#answer((client) => client.sendCommand(this.#scripts.command(name, keys, args), asBytes));
  }

  send<Answer>(command: Argument[]): Promise<Answer> {
    return this.#answer((client) => client.sendCommand(command));
  }

  async #answer<Answer>(ask: (client: RedisClient) => Promise<unknown>): Promise<Answer> {
    const { client } = this.#link;
    try {
      return (await ask(client)) as Answer;
    } catch (error) {
      const { message } = error as Error;
      if (!(error instanceof ErrorReply)) throw new RedisUnavailable(this.#link.address, message, error);
      if (ANOTHER.test(message)) this.#link.reset(client, error);
      throw new RedisRefused(message, error);
    }
  }
}

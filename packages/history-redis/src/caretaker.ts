// Looks, every few seconds, which Redis this is and what is to be let go of: windows that ran out of their time, ids that
// nobody needs, transactions that are over. So nothing waits for the next append to shrink. Spec: §4.

import { recordOf } from '@haip/history-engine';
import type { Logger } from '@haip/protocol';
import type { Caller } from './caller.ts';
import { RedisRefused, RedisUnavailable } from './errors.ts';
import { encodeId, type Keys } from './keys.ts';
import type { Link, RedisClient } from './link.ts';
import type { Scripts } from './scripts.ts';
import { readServerFacts, type ServerFacts } from './server-facts.ts';
import type { StoreTime } from './store-time.ts';

/** How often it looks. */
const ROUND_MS = 5_000;
/** So many logs are looked after at a time. */
const MOST_DUE = 64;

export interface CaretakerOptions {
  readonly scripts: Scripts;
  readonly time: StoreTime;
  readonly keys: Keys;
  readonly logger: Logger;
  /** Names the epoch, should one begin. */
  readonly candidate: string;
}

export class Caretaker {
  readonly #options: CaretakerOptions;
  #epoch: string | undefined;
  #keeps: ServerFacts['keeps'] | undefined;
  #rounds: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(options: CaretakerOptions) {
    this.#options = options;
  }

  /** Makes a connection ready: scripts loaded, server and epoch known. Rejects for a server that is not fit. */
  readonly begin = async (client: RedisClient): Promise<void> => {
    const facts = await readServerFacts(client);
    await this.#options.scripts.load(client);
    await this.#attend(client, facts, 0);
  };

  /** Looks from now on, until {@link stop}. */
  start(link: Link, caller: Caller): void {
    this.#rounds = setInterval(() => {
      this.#round ??= this.look(link, caller).finally(() => {
        this.#round = undefined;
      });
    }, ROUND_MS).unref();
  }

  /** Resolves when nothing is underway. */
  async stop(): Promise<void> {
    clearInterval(this.#rounds);
    await this.#round;
  }

  /** Looks once. A server that is not fit any more is given up: it is asked again as one that is lost. */
  async look(link: Link, caller: Caller): Promise<void> {
    const client = link.current;
    if (client === undefined) return;
    try {
      for (let isMore = true; isMore; ) {
        const due = await this.#attend(client, await readServerFacts(client), MOST_DUE);
        await Promise.all(due.map((name) => this.#tidy(caller, name)));
        isMore = due.length === MOST_DUE;
      }
    } catch (error) {
      if (error instanceof RedisRefused || error instanceof RedisUnavailable) {
        // It is due again in a while.
        this.#options.logger('warn', 'log not looked after', { error });
      } else {
        link.reset(client, error as Error);
      }
    }
  }

  /** Says who is there. Gives the logs to look after. */
  async #attend(client: RedisClient, facts: ServerFacts, most: number): Promise<readonly string[]> {
    const { scripts, time, keys, logger, candidate } = this.#options;
    const isSure = facts.keeps === 'everything' ? '1' : '0';
    scripts.identity = [candidate, facts.run, facts.replica, String(facts.evicted), isSure].join(' ');
    const args = [time.isKnown ? '' : 'new', keys.hints, String(most)];
    const command = scripts.command('attend', [keys.meta, keys.due], args);
    const [epoch, now, due] = (await client.sendCommand(command)) as unknown as [string, number, string[]];
    time.take(now);
    if (this.#keeps !== facts.keeps && facts.keeps !== 'everything')
      logger('warn', 'redis may lose what is settled', { keeps: facts.keeps });
    if (this.#epoch !== undefined && this.#epoch !== epoch) logger('warn', 'epoch renewed', { epoch });
    this.#keeps = facts.keeps;
    this.#epoch = epoch;
    return due;
  }

  async #tidy(caller: Caller, name: string): Promise<void> {
    const { keys } = this.#options;
    const own = [keys.meta, ...keys.transaction(name), keys.due];
    const over = await caller.call<[string, string] | null>('tidy', own, [name]);
    if (over === null) return;
    const { starter, referenceId } = recordOf(over[0], null);
    const lists = over[1]
      .split(' ')
      .filter((member) => member !== '')
      .map((member) => keys.list(member));
    const args = [name, '', '', encodeId(referenceId), over[1]];
    await caller.call('remove', [...own, keys.references(encodeId(starter)), ...lists], args);
  }
}

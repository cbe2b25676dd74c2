// The public face: authentication, tools, and the door for connections. Joins the parts and owns none of their work.

import { consoleLogger, endOfTurn, harmless, hmacSigner, systemClock, uuidIds } from '@haip/platform';
import type {
  Accept,
  Authenticator,
  Clock,
  Connection,
  HistoryStore,
  Ids,
  Logger,
  PeerInfo,
  Signer,
  Tool,
  Unavailable,
} from '@haip/protocol';
import { Addresses } from './addresses.ts';
import { Charges, type Credits, type CreditsOptions } from './charges.ts';
import type { ServerContext } from './context.ts';
import { Guest } from './guest.ts';
import { readLimits, type ServerLimits } from './limits.ts';
import { LiveLogs } from './live-logs.ts';
import { memoryLedger } from './memory-ledger.ts';
import { Moving } from './moving.ts';
import { Nodes } from './nodes.ts';
import { PositionCheck } from './position-check.ts';
import { Pressure } from './pressure.ts';
import { unheeded } from './promises.ts';
import { Revocations } from './revocations.ts';
import { Session } from './session.ts';
import { Shutdown, type ShutdownTimes } from './shutdown.ts';
import { soon } from './soon.ts';
import { Toolbox } from './toolbox.ts';
import { TurnSlots } from './turn-slots.ts';
import { Users } from './users.ts';

export interface HAIPServerOptions {
  /** Where transactions are kept: `memoryHistory()`, or any other HistoryStore. Whoever made it closes it. */
  readonly history: HistoryStore;
  /**
   * Makes messages cost credit: an account for each user id, opened with the `credits` its HAIPUser has. `{}` charges
   * 1 a message. Left out, nobody pays for anything.
   */
  readonly credits?: CreditsOptions | undefined;
  /**
   * Where a connection comes from, for the limits by address: behind a proxy, what that says in a header of its own.
   * Undefined, or an address of this machine, switches the limits of rate and number off. Default: `remoteAddress`.
   */
  readonly addressOf?: ((info: PeerInfo) => string | undefined) | undefined;
  /** What differs from the {@link defaultLimits}. */
  readonly limits?: Partial<ServerLimits> | undefined;
  /**
   * Signs resume tokens. Servers that share clients share its key. Default: `hmacSigner()` with a random key, so that
   * sessions do not outlive the process (transactions do, as long as their store).
   */
  readonly signer?: Signer | undefined;
  /** Default: warnings and errors to the console, one JSON object a line. */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  readonly ids?: Ids | undefined;
}

/**
 * A HAIP server: transports hand it connections by {@link accept}, tools answer in transactions, a history store keeps
 * them.
 *
 * @example
 * const server = new HAIPServer({ history: memoryHistory() });
 * server.authenticate((auth) => auth?.token === 'Bearer TOKEN' ? { id: 'user123', permissions: { MESSAGE: ['*'] }, credits: 1000 } : null);
 * server.registerTool({ name: 'echo', async onMessage(turn, text) { await turn.reply(text); } });
 * acceptWebSockets(http, server.accept);
 */
export class HAIPServer {
  readonly #context: ServerContext;
  readonly #unwatch: () => void;
  readonly #positions: PositionCheck;
  readonly #live = new Set<Session>();
  readonly #addressOf: (info: PeerInfo) => string | undefined;
  #authenticator: Authenticator | undefined;
  readonly #pressure: Pressure;
  #shutdown: Shutdown | undefined;
  #sendingAway: Moving<Session> | undefined;

  /** @throws RangeError for a limit outside its range, TypeError without a history. */
  constructor(options: HAIPServerOptions) {
    if (!options?.history?.append) throw new TypeError('history: expected a history store, say memoryHistory()');
    const clock = options.clock ?? systemClock;
    const users = new Users();
    const log = harmless(options.logger ?? consoleLogger());
    const limits = readLimits(options.limits);
    const { history } = options;
    const context: ServerContext = {
      clock,
      ids: options.ids ?? uuidIds,
      // A clock of its own has turns of its own: whoever holds it waits for promises and nothing else.
      endOfTurn: options.clock ? soon : endOfTurn,
      log,
      signer: options.signer ?? hmacSigner(),
      history,
      limits,
      toolbox: new Toolbox(),
      logs: new LiveLogs(() => context),
      slots: new TurnSlots(limits.maxConcurrentRuns),
      sessions: new Map(),
      nodes: new Nodes(history, () => context),
      addresses: new Addresses(clock, limits),
      users,
      revocations: new Revocations(),
      charges: options.credits && chargesOf(options.credits, { clock, log, limits, users }),
      authenticator: () => this.#authenticator,
    };
    this.#context = context;
    this.#pressure = new Pressure(clock, limits, this.#live);
    this.#addressOf = options.addressOf ?? (({ remoteAddress }) => remoteAddress);
    const revoked = (user: string, agoMs = 0): void => this.#endRights(user, agoMs);
    this.#positions = new PositionCheck(context, {
      isNeeded: () => this.#live.size > 0 || context.logs.size > 0,
      revoked,
      lost: () => this.#sendAway(),
      found: () => this.#sendingAway?.stop(),
    });
    this.#unwatch = history.watch((transaction) => context.logs.changed(transaction), revoked);
  }

  /**
   * Sets who decides who somebody is. Without one, everybody is refused.
   *
   * @param authenticator takes what the client's `authenticate` function gave; answers a user, or null to refuse
   * @throws TypeError for what is no function.
   */
  authenticate(authenticator: Authenticator): void {
    if (typeof authenticator !== 'function') throw new TypeError('authenticate: expected a function');
    this.#authenticator = authenticator;
  }

  /**
   * Adds a tool that transactions can be started with.
   * @throws TypeError for a name that is no id, or one that is taken, and for whatever else a tool can not have.
   */
  registerTool<Input>(tool: Tool<Input>): void {
    this.#context.toolbox.add(tool);
  }

  /** Serves a connection until it ends. Give this to a transport; it needs no `this`. */
  readonly accept: Accept = Object.assign((...given: Parameters<Accept>) => this.#accept(...given), {
    unavailable: () => this.#unavailable(),
  });

  /** Why nobody is taken now. */
  #unavailable(): Unavailable | undefined {
    if (this.#shutdown !== undefined) return { code: 1012, reason: 'restarting', retryAfterMs: RETRY_AFTER_MS };
    if (this.#positions.isLost) return { ...cutOff, retryAfterMs: this.#context.limits.positionCheckMs };
    if (this.#live.size >= this.#context.limits.maxConnections) return full('too many connections');
    return this.#pressure.isHigh ? full('too much waits for the network') : undefined;
  }

  /** This node can not reach the store, others may: nobody is to wait here for what never comes. */
  #sendAway(): void {
    // They are on their way already.
    if (this.#shutdown !== undefined) return;
    const { clock, limits, log } = this.#context;
    log('error', 'store lost', { connections: this.#live.size });
    const { code, reason } = cutOff;
    this.#sendingAway = new Moving(clock, [...this.#live], limits.closeSpreadMs, (session) =>
      session.close(code, reason),
    );
  }

  #accept(connection: Connection, info: PeerInfo): Promise<void> {
    const away = this.#unavailable();
    if (away !== undefined) return turnAway(connection, away);
    const guest = Guest.enter(this.#context, this.#whereFrom(info));
    if (guest !== undefined && !(guest instanceof Guest)) return turnAway(connection, guest);
    const session = new Session(this.#context, connection, info, guest);
    this.#live.add(session);
    this.#positions.begin();
    return session.run(this.#live);
  }

  #whereFrom(info: PeerInfo): string | undefined {
    try {
      const address: unknown = this.#addressOf(info);
      if (address === undefined || typeof address === 'string') return address;
      unheeded(address);
      throw new TypeError(`addressOf: expected a string at once, got a ${typeof address}`);
    } catch (error) {
      this.#context.log('error', 'addressOf threw', { error });
      return info.remoteAddress;
    }
  }

  /**
   * The accounts of users.
   * @throws Error for a server that was made without the option `credits`: nobody pays there.
   */
  get credits(): Credits {
    const { charges } = this.#context;
    if (charges === undefined) throw new Error('credits: expected a server made with the option "credits"');
    return charges;
  }

  /**
   * Ends all connections of a user, 1008, here and on every node that shares the store: there by a hint at once, else
   * within `positionCheckMs`. Their resume tokens are void. Who may come back is the authenticator's to say, so end
   * what it goes by first.
   *
   * @returns done when the store has it. Rejects when that failed: then only this node knows, and it is to be called
   * again.
   */
  async disconnectUser(user: string): Promise<void> {
    this.#endRights(user, 0);
    await this.#context.history.revoke(user);
  }

  /** What was told again, or late, is over for who has shown credentials since. */
  #endRights(user: string, agoMs: number): void {
    const { revocations, users, clock } = this.#context;
    const before = clock.monotonic() - agoMs;
    revocations.add(user, clock.now() - agoMs, before);
    for (const session of users.of(user)) if (session.user.shownAt <= before) session.endRights();
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#live.size;
  }

  /** How many transactions are in hand: read, written or answered now. The store knows all the others. */
  get transactions(): number {
    return this.#context.logs.size;
  }

  /**
   * Ends this node of a service that goes on: takes no more connections, lets turns end for `closeGraceMs`, moves the
   * clients away one by one within `closeSpreadMs` (1012: they resume elsewhere, or here once there is a server again),
   * finishes what is being stored and lets other nodes answer at once. Whoever waits for an answer that is not begun is
   * moved first.
   *
   * @returns done when all is gone, after `closeWithinMs` in any case.
   */
  drain(): Promise<void> {
    const { closeGraceMs: graceMs, closeSpreadMs: spreadMs } = this.#context.limits;
    return this.#end({ graceMs, spreadMs });
  }

  /**
   * Takes no more connections, stops every turn, closes what is open with 1012 and finishes what is being stored: at once,
   * also when the server already drains.
   *
   * @returns done when all is gone, after `closeWithinMs` in any case.
   */
  close(): Promise<void> {
    this.#shutdown?.hasten();
    return this.#end({ graceMs: 0, spreadMs: 0 });
  }

  async #end(times: ShutdownTimes): Promise<void> {
    this.#shutdown ??= new Shutdown(this.#context, this.#live, times);
    this.#sendingAway?.stop();
    await this.#shutdown.done;
    this.#unwatch();
    this.#context.nodes.stop();
    this.#positions.stop();
  }
}

function turnAway(connection: Connection, { code = 1013, reason, retryAfterMs }: Unavailable): Promise<void> {
  connection.close(code, reason, retryAfterMs);
  return connection.closed.then(() => {});
}

const full = (reason: string): Unavailable => ({ code: 1013, reason, retryAfterMs: RETRY_AFTER_MS });

const cutOff = { code: 1013, reason: 'the store does not answer' } as const;

/** How long whoever is not taken is asked to stay away. */
const RETRY_AFTER_MS = 1_000;

/** A debit is remembered for longer than its message may be sent again. */
const MORE_THAN_RETRIES_MS = 300_000;

function chargesOf(
  options: CreditsOptions,
  { clock, log, limits, users }: Pick<ServerContext, 'clock' | 'log' | 'limits' | 'users'>,
): Charges {
  const keyTtlMs = limits.retryWithinMs + MORE_THAN_RETRIES_MS;
  return new Charges(options, options.ledger ?? memoryLedger({ clock, keyTtlMs }), log, (user, balance) => {
    for (const session of users.of(user)) session.tellBalance(balance);
  });
}

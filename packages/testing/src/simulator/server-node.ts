// A machine that serves: its process may crash, be drained, stall, and come back as another process over the same store.

import type { Authenticator, HistoryStore, LogLevel, Signer, Tool } from '@haip/protocol';
import type { Accounts } from './accounts.ts';
import type { SimulatedParts, SimulatedServer, SimulatedServerOptions } from './parts.ts';
import type { StoreNode } from './store-node.ts';
import type { Trace } from './trace.ts';
import { Host, type World } from './world.ts';

/** What a node is made of. */
export interface NodeParts {
  readonly world: World;
  readonly trace: Trace;
  readonly parts: SimulatedParts;
  readonly store: StoreNode;
  readonly limits: SimulatedServerOptions['limits'];
  readonly authenticate: Authenticator;
  /** Who pays; undefined: nobody. */
  readonly accounts: Accounts | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: each tool has an input type of its own
  tools(host: Host): readonly Tool<any>[];
  /** Told what a server logs. */
  logged(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Digests a secret with a number: enough where nobody attacks, and the same in each run. */
const plainSigner: Signer = {
  sign: macOf,
  verify: (text, mac) => macOf(text) === mac,
};

function macOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return `mac${(hash >>> 0).toString(36)}`;
}

export class ServerNode {
  readonly name: string;
  readonly #parts: NodeParts;
  host: Host;
  server: SimulatedServer;
  /** The store as this process has it. */
  history: HistoryStore;
  /** False while there is nobody to connect to. */
  up = true;
  #starts = 0;
  #wallOffsetMs: number;

  constructor(parts: NodeParts, name: string) {
    this.#parts = parts;
    this.name = name;
    this.host = new Host(parts.world, name);
    this.#wallOffsetMs = this.host.wallOffsetMs;
    this.history = parts.store.view(this.host);
    this.server = this.#make();
  }

  /** The wall clock is set to another time, as NTP or a person would. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
    this.host.wallOffsetMs = this.#wallOffsetMs;
  }

  /** The process ends in the middle of whatever it does. */
  crash(): void {
    this.up = false;
    this.host.kill();
  }

  /**
   * The process is asked to end, and ends.
   *
   * @param atOnce it gives nobody any time.
   * @param isTold whoever connects is no longer sent here.
   */
  async drain(atOnce: boolean, isTold: boolean): Promise<void> {
    const { host, server } = this;
    this.up = !isTold;
    await (atOnce ? server.close() : server.drain());
    if (this.host === host) this.up = false;
  }

  /** Another process. */
  start(): void {
    if (this.up) return;
    this.host = new Host(this.#parts.world, this.name);
    this.host.wallOffsetMs = this.#wallOffsetMs;
    this.history = this.#parts.store.view(this.host);
    this.server = this.#make();
    this.up = true;
  }

  #make(): SimulatedServer {
    const { parts, limits, authenticate, accounts, tools, logged, trace } = this.#parts;
    const { host, history, name } = this;
    const prefix = `${name}${this.#starts++ === 0 ? '' : String.fromCharCode(96 + this.#starts)}-`;
    let next = 0;
    const server = parts.server({
      history,
      clock: host.clock,
      ids: () => `${prefix}${++next}`,
      signer: plainSigner,
      limits,
      credits: accounts && { ledger: accounts.view(host) },
      logger: (level, event, fields = {}) => {
        if (!host.alive) return;
        trace.note(name, `log ${event}`);
        logged(level, event, fields);
      },
    });
    server.authenticate(authenticate);
    for (const tool of tools(host)) server.registerTool(tool);
    return server;
  }
}

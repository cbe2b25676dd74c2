// Who is connected to whom: dials, the links that came of them, and what faults do to these.

import type { CodecLimits, Connection, Envelope, Transport } from '@haip/protocol';
import { defaultCodecLimits } from '@haip/protocol';
import type { Chance } from './chance.ts';
import type { Verdicts } from './checker/verdicts.ts';
import { WindowWatch } from './checker/window-watch.ts';
import { HttpDials } from './http-dials.ts';
import { HttpLink, type PostWeather } from './http-link.ts';
import { type LinkFactory, type LinkHold, orderedLink, type SimulatedLink, type Way } from './ordered-link.ts';
import type { HttpKind } from './parts.ts';
import type { ServerNode } from './server-node.ts';
import type { Trace } from './trace.ts';
import type { Host } from './world.ts';

/** Whoever dials. */
export interface Caller {
  readonly name: string;
  readonly host: Host;
  /** Told of each envelope as it reads it. */
  readonly heard?: ((envelope: Envelope) => void) | undefined;
}

/** A link with who is at its ends. */
export interface Line {
  readonly link: LinkHold;
  readonly caller: Caller;
  readonly node: ServerNode;
  readonly isOverHttp: boolean;
  /** The process at the node's end. */
  readonly process: Host;
  /** The session, once the caller heard the server's HAI. */
  session: string | undefined;
  readonly windows: WindowWatch;
  /** The highest number that the server heard. */
  heardUpTo: number;
  /** Who the client said it is, and when the server heard that. */
  greeting: { readonly user: string; readonly at: number } | undefined;
  /** It takes nothing, or loses everything, without a sign: only silence tells. */
  broken: boolean;
}

export interface NetworkOptions {
  readonly chance: Chance;
  /** Which node a request that is not kept to one goes to. */
  readonly balancing: Chance;
  readonly nodes: readonly ServerNode[];
  readonly trace: Trace;
  readonly link: LinkFactory | undefined;
  readonly lowestLatencyMs: number;
  readonly highestLatencyMs: number;
  readonly highWaterBytes: number;
  readonly binary: boolean;
  readonly serverTextBytes: number;
  readonly verdicts: Verdicts;
  heard(line: Line, way: Way, envelope: Envelope): void;
  ended(line: Line, side: 'client' | 'server', code: number): void;
  /** What a POST was answered; 0: its way was broken. */
  posted(caller: Caller, status: number): void;
  /** A POST goes to another node than the one with its stream. */
  strayed(): void;
}

export class Network {
  readonly lines = new Set<Line>();
  /** The probability that a dial fails. */
  refusing = 0;
  readonly #options: NetworkOptions;
  readonly #make: LinkFactory;
  readonly #serverLimits: CodecLimits;
  readonly #http: HttpDials;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#make = options.link ?? orderedLink;
    this.#serverLimits = { ...defaultCodecLimits, maxTextBytes: options.serverTextBytes };
    this.#http = new HttpDials({
      chance: options.chance,
      balancing: options.balancing,
      nodes: options.nodes,
      latencyMs: () => this.#latency(),
      highWaterBytes: options.highWaterBytes,
      serverLimits: this.#serverLimits,
      highestLatencyMs: options.highestLatencyMs,
      isRefused: () => options.chance.happens(this.refusing),
      begin: (link, node, caller) => this.#begin(link, node, caller),
      heard: options.heard,
      posted: options.posted,
      strayed: options.strayed,
      ended: (line, side, code) => this.#ended(line, side, code),
    });
  }

  /** What becomes of POSTs. */
  get posts(): PostWeather {
    return this.#http.posts;
  }

  /** A way to one node, for one caller; over HTTP, or by a link that keeps order. */
  transport(node: ServerNode, caller: Caller, kind?: HttpKind): Transport {
    if (kind === undefined) return { name: node.name, dial: (_options, signal) => this.dial(node, caller, signal) };
    return {
      name: `${node.name}-${kind.name}`,
      dial: (options, signal) => this.#http.dial(kind, node, caller, options, signal),
    };
  }

  dial(node: ServerNode, caller: Caller, signal: AbortSignal): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const isRefused = this.#options.chance.happens(this.refusing);
    const refuse = (): void => reject(new Error(`${node.name}: the dial was refused`));
    if (isRefused || !node.up) {
      caller.host.after(2 * this.#latency(), refuse);
      return promise;
    }
    node.host.after(this.#latency(), () => {
      // A transport may ask before it opens anything, or have been too late for that.
      if (node.server.accept.unavailable?.() && this.#options.balancing.happens(0.5)) {
        return void caller.host.after(this.#latency(), refuse);
      }
      const link = this.#connect(node, caller);
      void node.server.accept(link.server, { transport: 'simulated', headers: {}, remoteAddress: caller.name });
      caller.host.after(this.#latency(), () => resolve(link.client));
    });
    // The node may die before it has answered.
    caller.host.after(4 * this.#options.highestLatencyMs + 1_000, refuse);
    return promise;
  }

  /** The newest link of a caller that lives. */
  lineOf(caller: Caller): Line | undefined {
    let newest: Line | undefined;
    for (const line of this.lines) if (line.caller === caller && !line.link.isOver('client')) newest = line;
    return newest;
  }

  /** A process died: its callers learn at once, or only by its silence. */
  processDied(process: Host): void {
    for (const line of this.lines) {
      if (line.process !== process) continue;
      if (this.#options.chance.happens(0.7)) this.cut(line, 'client');
      else this.silence(line);
    }
  }

  /** A client's device died or was reloaded. */
  callerDied(caller: Caller): void {
    for (const line of this.lines) {
      if (line.caller !== caller) continue;
      if (this.#options.chance.happens(0.7)) this.cut(line, 'server');
      else this.silence(line);
    }
  }

  cut(line: Line, side?: 'client' | 'server'): void {
    line.link.cut(this.#options.chance.between(0, 3), side);
    if (side !== undefined) line.broken = true;
  }

  silence(line: Line, way?: Way): void {
    line.broken = true;
    if (way !== 'down') line.link.mute('up');
    if (way !== 'up') line.link.mute('down');
  }

  #connect(node: ServerNode, caller: Caller): SimulatedLink {
    const { highWaterBytes, binary, heard } = this.#options;
    const link = this.#make({
      client: caller.host,
      server: node.host,
      latencyMs: () => this.#latency(),
      highWaterBytes,
      binary,
      serverLimits: this.#serverLimits,
      heard: (way, envelope) => heard(line, way, envelope),
      ended: (side, code) => this.#ended(line, side, code),
    });
    const line = this.#begin(link, node, caller);
    return link;
  }

  #begin(link: LinkHold, node: ServerNode, caller: Caller): Line {
    const line: Line = {
      link,
      caller,
      node,
      isOverHttp: link instanceof HttpLink,
      process: node.host,
      session: undefined,
      windows: new WindowWatch(this.#options.verdicts),
      heardUpTo: 0,
      greeting: undefined,
      broken: false,
    };
    this.lines.add(line);
    return line;
  }

  #ended(line: Line, side: 'client' | 'server', code: number): void {
    const { link } = line;
    this.#options.ended(line, side, code);
    if (link.isOver('client') && link.isOver('server')) this.lines.delete(line);
  }

  #latency(): number {
    const { chance, lowestLatencyMs, highestLatencyMs } = this.#options;
    return chance.between(lowestLatencyMs, highestLatencyMs);
  }
}

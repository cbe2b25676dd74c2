// Dials over HTTP: the transport's own client gets a `fetch`, its own server the requests, and what it accepts becomes a
// line like any other.

import type { Accept, CodecLimits, Connection, DialOptions, Envelope } from '@haip/protocol';
import type { Chance } from './chance.ts';
import { type Carried, HttpLink, networkError, type PostWeather } from './http-link.ts';
import type { Caller, Line } from './network.ts';
import type { LinkHold, Way } from './ordered-link.ts';
import type { HttpHandler, HttpKind } from './parts.ts';
import type { PipeOptions } from './pipe.ts';
import type { ServerNode } from './server-node.ts';
import { WatchedConnection } from './watched-connection.ts';
import type { Host } from './world.ts';

/** What the network makes of a link. */
export interface HttpDialsOptions extends PipeOptions {
  readonly chance: Chance;
  /** Where a POST goes, whoever has its stream. */
  readonly balancing: Chance;
  readonly nodes: readonly ServerNode[];
  readonly serverLimits: CodecLimits;
  readonly highestLatencyMs: number;
  /** Whether the dial that begins now fails. */
  isRefused(): boolean;
  posted(caller: Caller, status: number): void;
  /** A POST goes to another node than the one with its stream. */
  strayed(): void;
  begin(link: LinkHold, node: ServerNode, caller: Caller): Line;
  heard(line: Line, way: Way, envelope: Envelope): void;
  ended(line: Line, side: 'client' | 'server', code: number): void;
}

/** One attempt of a client to connect, and the connection that comes of it. */
interface Dial {
  readonly kind: HttpKind;
  readonly node: ServerNode;
  readonly caller: Caller;
  /** What carries it; undefined before it asked for the stream. */
  link: HttpLink | undefined;
  isOver: boolean;
}

const linkHeader = 'simulated-link';

export class HttpDials {
  readonly posts: PostWeather = { lost: 0, twice: 0 };
  readonly #options: HttpDialsOptions;
  readonly #handlers = new WeakMap<Host, Map<HttpKind, HttpHandler>>();
  /** Links by the number that their first request carries. */
  readonly #links = new Map<string, { readonly link: HttpLink; readonly dial: Dial }>();
  readonly #lines = new WeakMap<HttpLink, Line>();
  #count = 0;

  constructor(options: HttpDialsOptions) {
    this.#options = options;
  }

  async dial(
    kind: HttpKind,
    node: ServerNode,
    caller: Caller,
    options: DialOptions,
    signal: AbortSignal,
  ): Promise<Connection> {
    const dial: Dial = { kind, node, caller, link: undefined, isOver: false };
    const transport = kind.transport({
      origin: `http://${node.name}`,
      fetch: (url, init) => this.#fetch(dial, url, init),
    });
    const over = (code: number): void => {
      dial.isOver = true;
      if (dial.link) this.#end(dial.link, 'client', code);
    };
    try {
      const connection = await transport.dial(options, signal);
      const heard = (envelope: Envelope): void => {
        const line = dial.link && this.#lines.get(dial.link);
        if (line) this.#options.heard(line, 'down', envelope);
      };
      return new WatchedConnection(connection, { heard, ended: over });
    } catch (error) {
      over(1006);
      throw error;
    }
  }

  #fetch(dial: Dial, url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const { node, caller, link } = dial;
    const { latencyMs, chance } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const carried: Carried = { url: new URL(String(url)), init, resolve, reject };
    const reached = link ? this.#anyNode() : node;
    if (!reached?.up || (!link && this.#options.isRefused())) {
      caller.host.after(2 * latencyMs(), () => reject(networkError()));
    } else if (link) {
      if (reached !== node) this.#options.strayed();
      link.post(carried, this.#handlerOf(dial.kind, reached), reached.host, this.posts);
    } else {
      const isTwice = chance.happens(this.posts.twice);
      if (isTwice) this.#openInVain(dial, carried);
      // On a new way: what went before has arrived.
      caller.host.after(isTwice ? this.#options.highestLatencyMs : 0, () => this.#open(dial, carried));
    }
    return promise;
  }

  /** Nobody is kept to a node. */
  #anyNode(): ServerNode | undefined {
    const { nodes, balancing } = this.#options;
    const up = nodes.filter((node) => node.up);
    return up.length > 1 ? balancing.pick(up) : up[0];
  }

  #open(dial: Dial, carried: Carried): HttpLink {
    const { node, caller } = dial;
    const posted = (status: number): void => this.#options.posted(caller, status);
    const link = new HttpLink({ ...this.#options, client: caller.host, server: node.host, posted });
    const name = String(++this.#count);
    this.#links.set(name, { link, dial });
    dial.link = link;
    link.open(carried, this.#handlerOf(dial.kind, node), { [linkHeader]: name });
    return link;
  }

  /** The request arrives, and the client, who never heard of that, sends it again. */
  #openInVain(dial: Dial, { url, init: { signal, ...init } }: Carried): void {
    const link = this.#open(dial, { url, init, resolve() {}, reject() {} });
    link.isClientOver = true;
    link.mute('down');
  }

  /** What answers the requests to a process. */
  #handlerOf(kind: HttpKind, node: ServerNode): HttpHandler {
    const { host, server, history } = node;
    const kinds = this.#handlers.get(host) ?? new Map<HttpKind, HttpHandler>();
    this.#handlers.set(host, kinds);
    const take: Accept = (connection, peer) => {
      const name = String(peer.headers[linkHeader]);
      const { link, dial } = this.#links.get(name) as { link: HttpLink; dial: Dial };
      this.#links.delete(name);
      if (dial.isOver) link.isClientOver = true;
      const line = this.#options.begin(link, dial.node, dial.caller);
      this.#lines.set(link, line);
      const heard = (envelope: Envelope): void => this.#options.heard(line, 'up', envelope);
      const ended = (code: number): void => this.#end(link, 'server', code);
      const { name: remoteAddress } = dial.caller;
      return server.accept(new WatchedConnection(connection, { heard, ended }), { ...peer, remoteAddress });
    };
    const accept: Accept = Object.assign(take, { unavailable: () => server.accept.unavailable?.() });
    const handler = kinds.get(kind) ?? kind.handler(accept, this.#options.serverLimits, history);
    kinds.set(kind, handler);
    return handler;
  }

  #end(link: HttpLink, side: 'client' | 'server', code: number): void {
    if (side === 'client') link.isClientOver = true;
    else link.isServerOver = true;
    const line = this.#lines.get(link);
    if (line) this.#options.ended(line, side, code);
  }
}

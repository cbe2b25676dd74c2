// HTTP between a client and a node: a stream that comes in order and in pieces, and POSTs that keep no order, each in a
// time of its own. What is at its ends is the transport's own code, which sees `fetch` and Request → Response. Spec: §7.

import type { Chance } from './chance.ts';
import { Courier } from './courier.ts';
import type { LinkHold, Way } from './ordered-link.ts';
import type { HttpHandler } from './parts.ts';
import { Pipe, type PipeOptions } from './pipe.ts';
import type { Host } from './world.ts';

/** What chance may do to a POST, each a probability. */
export interface PostWeather {
  /** It is lost, or its answer is; the client learns that something was. */
  lost: number;
  /** It arrives again, at any time. */
  twice: number;
}

export interface HttpLinkOptions extends PipeOptions {
  readonly client: Host;
  readonly server: Host;
  readonly chance: Chance;
  /** Told what each POST was answered, as the client learns it; 0: that its way was broken. */
  posted(status: number): void;
}

/** A request as whoever carries it has it. */
export interface Carried {
  readonly url: URL;
  readonly init: RequestInit;
  resolve(response: Response): void;
  reject(reason: unknown): void;
}

type Parcel =
  | { readonly kind: 'head'; readonly response: Response; readonly size: 0 }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly size: number }
  | { readonly kind: 'end' | 'broken'; readonly size: 0 };

const LATEST_REPEAT_MS = 2_000;

export class HttpLink implements LinkHold {
  isClientOver = false;
  isServerOver = false;
  readonly #options: HttpLinkOptions;
  readonly #up: Courier;
  readonly #down: Courier;
  readonly #stream: Pipe<Parcel>;
  /** The client's end of the stream. */
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Who waits for the stream to begin. */
  #opening: Carried | undefined;
  /** Tells the server that the client is gone. */
  readonly #gone = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** POSTs that have no answer yet. */
  readonly #posts = new Set<Carried>();

  constructor(options: HttpLinkOptions) {
    this.#options = options;
    this.#up = new Courier(options);
    this.#down = new Courier(options);
    this.#stream = new Pipe<Parcel>(options.client, options, (parcels) => {
      for (const parcel of parcels) this.#arrive(parcel);
    });
  }

  isOver(side: 'client' | 'server'): boolean {
    return side === 'client' ? this.isClientOver : this.isServerOver;
  }

  /** Carries the request that opens the stream. */
  open(carried: Carried, handler: HttpHandler, headers: Readonly<Record<string, string>>): void {
    const { server } = this.#options;
    this.#opening = carried;
    carried.init.signal?.addEventListener('abort', () => this.#abandon(carried));
    this.#up.send(server, () => {
      void handler(requestOf(carried, headers, this.#gone.signal)).then((response) => this.#pump(response));
    });
  }

  /** Carries a POST to a process, which may be another one by now. */
  post(carried: Carried, handler: HttpHandler, to: Host, weather: PostWeather): void {
    const { chance } = this.#options;
    const { signal } = carried.init;
    this.#posts.add(carried);
    signal?.addEventListener('abort', () => {
      carried.reject(signal.reason);
      this.#posts.delete(carried);
    });
    const isLost = chance.happens(weather.lost);
    if (isLost && chance.happens(0.5)) {
      this.#up.send(to, () => this.#fail(carried));
      return;
    }
    const deliver = (answered: (response: Response) => void) => (): void => {
      void handler(requestOf(carried, {})).then(answered);
    };
    this.#up.send(to, deliver(isLost ? () => this.#lose(carried) : (response) => void this.#answer(carried, response)));
    if (chance.happens(weather.twice))
      this.#up.send(
        to,
        deliver(() => {}),
        chance.between(0, LATEST_REPEAT_MS),
      );
  }

  cut(kept: number, side?: 'client' | 'server'): void {
    const { client, server } = this.#options;
    this.#stream.shut(kept);
    if (side !== 'server') {
      client.after(0, () => {
        for (const carried of this.#posts) carried.reject(networkError());
        this.#posts.clear();
        this.#arrive({ kind: 'broken', size: 0 });
      });
    }
    if (side !== 'client') server.after(0, () => this.#leave());
  }

  mute(way: Way): void {
    this.#courier(way).mute();
    if (way === 'down') this.#stream.mute();
  }

  stall(way: Way): void {
    this.#courier(way).stall();
    if (way === 'down') this.#stream.stall();
  }

  resume(way: Way): void {
    this.#courier(way).resume();
    if (way === 'down') this.#stream.resume();
  }

  #courier(way: Way): Courier {
    return way === 'up' ? this.#up : this.#down;
  }

  /** Reads what the server answers, and sends it on its way piece by piece. */
  async #pump(response: Response): Promise<void> {
    const { chance, server } = this.#options;
    void this.#stream.write({ kind: 'head', response, size: 0 });
    const reader = response.body?.getReader();
    this.#reader = reader;
    try {
      for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
        for (const bytes of pieces(read.value, chance)) {
          const pending = this.#stream.write({ kind: 'bytes', bytes, size: bytes.length });
          if (!pending) continue;
          await pending;
          // There is room because the client's end took something; to go on is the server's doing.
          await new Promise<void>((resolve) => server.after(0, resolve));
        }
      }
      void this.#stream.write({ kind: 'end', size: 0 });
    } catch {
      void this.#stream.write({ kind: 'broken', size: 0 });
    }
  }

  #arrive(parcel: Parcel): void {
    if (parcel.kind === 'head') return this.#begin(parcel.response);
    const body = this.#body;
    if (parcel.kind === 'bytes') return body?.enqueue(parcel.bytes);
    this.#body = undefined;
    if (parcel.kind === 'end') return body?.close();
    body?.error(networkError());
    this.#opening?.reject(networkError());
    this.#opening = undefined;
  }

  #begin({ status, headers }: Response): void {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#body = controller;
      },
      cancel: () => this.#leaveLater(),
    });
    this.#opening?.resolve(new Response(body, { status, headers }));
  }

  /** The client wants no more of it. */
  #abandon(carried: Carried): void {
    const reason: unknown = carried.init.signal?.reason;
    carried.reject(reason);
    this.#body?.error(reason);
    this.#leaveLater();
  }

  #leaveLater(): void {
    this.#body = undefined;
    this.#up.send(this.#options.server, () => this.#leave());
  }

  #leave(): void {
    this.#stream.shut(0);
    this.#gone.abort();
    this.#reader?.cancel().catch(() => {});
  }

  async #answer(carried: Carried, response: Response): Promise<void> {
    const { status, headers } = response;
    const text = await response.text();
    this.#tell(carried, status, () => carried.resolve(new Response(text, { status, headers })));
  }

  /** It was taken, and nobody says so. */
  #lose(carried: Carried): void {
    if (this.#options.chance.happens(0.5)) return this.#fail(carried);
    this.#tell(carried, 502, () => carried.resolve(new Response('<h1>Bad Gateway</h1>', { status: 502 })));
  }

  #fail(carried: Carried): void {
    this.#tell(carried, 0, () => carried.reject(networkError()));
  }

  #tell(carried: Carried, status: number, tell: () => void): void {
    this.#down.send(this.#options.client, () => {
      if (!this.#posts.delete(carried)) return;
      this.#options.posted(status);
      tell();
    });
  }
}

function requestOf({ url, init }: Carried, added: Readonly<Record<string, string>>, signal?: AbortSignal): Request {
  const { method = 'GET', headers, body } = init;
  const all = { ...(headers as Record<string, string>), ...added };
  return new Request(url, { method, headers: all, body: body ?? null, signal: signal ?? null });
}

/** What one write becomes on its way: as it is, or cut anywhere. */
function pieces(bytes: Uint8Array, chance: Chance): readonly Uint8Array[] {
  if (bytes.length < 2 || !chance.happens(0.2)) return [bytes];
  const at = chance.between(1, bytes.length - 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

export function networkError(): TypeError {
  return new TypeError('the request found no way');
}

// A Web-standard Request, and the Response it is answered with, as an Exchange. Runs wherever Web APIs run.

import type { Downstream, Exchange, ExchangeListener, Headers } from './exchange.ts';

const highWaterBytes = 65_536;

/** The end of the turn, as near as the platform lets us say it. */
const { setImmediate: afterTurn = (job: () => void): unknown => setTimeout(job, 0) } = globalThis as {
  setImmediate?: (job: () => void) => unknown;
};

export class WebExchange implements Exchange, Downstream {
  readonly method: string;
  readonly path: string;
  readonly headers: Exchange['headers'];
  readonly remoteAddress: string | undefined;
  /** A handler is not told where its server listens. */
  readonly isLocal = false;
  readonly response: Promise<Response>;
  readonly #request: Request;
  readonly #encoder = new TextEncoder();
  #respond!: (response: Response) => void;
  #listener: ExchangeListener | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #sentBytes = 0;
  /** Kept when the stream is gone. */
  #written = 0;

  constructor(request: Request, remoteAddress: string | undefined) {
    const { host, pathname } = new URL(request.url);
    this.#request = request;
    this.method = request.method;
    this.path = pathname;
    this.headers = { host, ...Object.fromEntries(request.headers) };
    this.remoteAddress = remoteAddress;
    this.response = new Promise((resolve) => {
      this.#respond = resolve;
    });
  }

  async body(maxBytes: number, deadlineMs: number): Promise<Uint8Array | number> {
    if (Number(this.headers['content-length']) > maxBytes) return 413;
    const reader = this.#request.body?.getReader();
    if (!reader) return new Uint8Array();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void reader.cancel();
    }, deadlineMs);
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        size += read.value.length;
        if (size > maxBytes) {
          void reader.cancel();
          return 413;
        }
        chunks.push(read.value);
      }
      return late ? 408 : joined(chunks, size);
    } catch {
      return 400;
    } finally {
      clearTimeout(timer);
    }
  }

  answer(status: number, headers: Headers, body?: string): void {
    this.#respond(new Response(status === 204 ? null : body, { status, headers }));
  }

  attend(listener: ExchangeListener): void {
    this.#listener = listener;
    this.#request.signal.addEventListener('abort', () => this.#gone());
  }

  stream(status: number, headers: Headers): Downstream {
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#listener?.drained(),
        cancel: () => this.#gone(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: highWaterBytes }),
    );
    this.#respond(new Response(body, { status, headers }));
    return this;
  }

  write(text: string): boolean {
    const bytes = this.#encoder.encode(text);
    this.#sentBytes += bytes.length;
    this.#controller?.enqueue(bytes);
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  get written(): number {
    const room = this.#controller?.desiredSize;
    if (typeof room === 'number') this.#written = this.#sentBytes - (highWaterBytes - room);
    return this.#written;
  }

  get unsent(): number {
    return this.#sentBytes - this.written;
  }

  /** A stream does not tell when all of it was taken. */
  end(): void {
    this.#controller?.close();
    this.#controller = undefined;
    this.#gone();
  }

  cut(): void {
    this.#controller?.error(new Error('cut'));
    this.#controller = undefined;
    this.answer(503, {});
    this.#gone();
  }

  soon(job: () => void): void {
    afterTurn(job);
  }

  #gone(): void {
    this.#controller = undefined;
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.gone();
  }
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

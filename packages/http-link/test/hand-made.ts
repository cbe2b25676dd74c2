// Exchanges made by hand, for an endpoint that is tested without a server.

import type { LinkKind } from '../src/endpoint.ts';
import type { Downstream, Exchange, ExchangeListener, Headers } from '../src/exchange.ts';

/** Its streams are plain text. */
export const kind: LinkKind = {
  transport: 'test',
  opensBy: 'GET',
  framing: {
    contentType: 'text/test',
    open: (address) => `open ${address}\n`,
    frame: (text) => `${text}\n`,
    close: (json) => `close ${json}\n`,
    alive: '.',
    probe: '?',
  },
};

export class HandMade implements Exchange, Downstream {
  readonly headers: Record<string, string>;
  readonly remoteAddress = undefined;
  readonly isLocal = false;
  status = 0;
  text = '';
  takes = true;
  hasEnded = false;
  readonly written = 0;
  unsent = 0;
  wasCut = false;
  listener: ExchangeListener | undefined;
  readonly method: string;
  readonly path: string;
  readonly #body: string;

  constructor(method: string, path: string, body = '') {
    this.method = method;
    this.path = path;
    this.#body = body;
    this.headers = { host: 'localhost', 'content-type': 'application/x-ndjson' };
  }

  body: Exchange['body'] = async () => new TextEncoder().encode(this.#body);

  /** The headers of the whole answer. */
  answered: Headers = {};

  answer(status: number, headers: Headers, body = ''): void {
    this.status = status;
    this.answered = headers;
    this.text = body;
  }

  attend(listener: ExchangeListener): void {
    this.listener = listener;
  }

  stream(status: number): Downstream {
    this.status = status;
    return this;
  }

  write(text: string): boolean {
    this.text += text;
    return this.takes;
  }

  end(): void {
    this.hasEnded = true;
  }

  cut(): void {
    this.wasCut = true;
    this.listener?.gone();
  }

  soon(job: () => void): void {
    queueMicrotask(job);
  }
}

export const hai =
  '{"id":"h","transaction":null,"session":"","seq":"1","ts":"0","channel":"USER","type":"HAI","payload":{}}';

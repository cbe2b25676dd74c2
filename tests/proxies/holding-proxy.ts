// A proxy that keeps the bodies of answers to itself, as some do: all of it, or what comes behind the first message, in
// blocks or until the end. Requests pass as they are.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { type Listening, listening } from '../http/served.ts';

export interface HoldingOptions {
  /** What passes at once: nothing, or everything up to and with the server's HAI. */
  readonly passes: 'nothing' | 'the HAI';
  /** How many bytes gather before they are let go. */
  readonly blockBytes: number;
}

export async function holdingProxy(server: { readonly port: number }, options: HoldingOptions): Promise<Listening> {
  const proxy = await listening(createServer((asked, answered) => pass(server.port, asked, answered, options)));
  onTestFinished(proxy.close);
  return proxy;
}

function pass(port: number, asked: IncomingMessage, answered: ServerResponse, options: HoldingOptions): void {
  const { method, url, headers } = asked;
  const onward = request({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
    answered.writeHead(answer.statusCode ?? 502, answer.headers);
    const isStream = !answer.headers['content-type']?.startsWith('application/json');
    let isHolding = isStream && options.passes === 'nothing';
    let held = '';
    answer.setEncoding('utf8').on('data', (text: string) => {
      held += text;
      if (isHolding && held.length < options.blockBytes) return;
      answered.write(held);
      isHolding ||= isStream && held.includes('"HAI"');
      held = '';
    });
    answer.on('end', () => answered.end(held));
  });
  answered.on('close', () => onward.destroy());
  onward.on('error', () => answered.destroy());
  asked.pipe(onward);
}

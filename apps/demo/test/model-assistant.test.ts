import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { createKnowledge } from '../server/assistant/knowledge.ts';
import { modelAssistant, readModelSettings } from '../server/assistant/model-assistant.ts';
import { fakeTurn } from './fake-turn.ts';

interface ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

type Answer = (response: ServerResponse, request: ChatRequest) => void | Promise<void>;

const knowledge = createKnowledge('## Zebra\n\nA zebra is striped, and every stripe is documented here.');
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A local endpoint that speaks the streaming format. */
async function modelEndpoint(answer: Answer): Promise<string> {
  const http = createServer(async (request: IncomingMessage, response) => {
    if (request.url === '/v1/models') {
      response.setHeader('content-type', 'application/json');
      return response.end(JSON.stringify({ object: 'list', data: [{ id: 'local-model', object: 'model' }] }));
    }
    return answer(response, JSON.parse(await readText(request)));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  closing.push(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`;
}

const chunk = (content: string | undefined, finish: string | null = null): string =>
  `data: ${JSON.stringify({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'm',
    choices: [{ index: 0, delta: content === undefined ? {} : { content }, finish_reason: finish }],
  })}\n\n`;

/** Writes bytes in pieces of `size`, each in a packet of its own. */
async function dribble(response: ServerResponse, body: string, size: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += size) {
    await new Promise((resolve) => response.write(bytes.subarray(at, at + size), resolve));
  }
  response.end();
}

describe('the assistant with a model', () => {
  test.each([1, 7, 100_000])(
    'a stream in pieces of %i bytes arrives whole, also when a character is split',
    async (size) => {
      const words = ['Zü', 'rich ', '東京', ' 🙂', ' “fin”.'];
      const baseUrl = await modelEndpoint((response) =>
        dribble(
          response,
          `${words.map((word) => chunk(word)).join('')}${chunk(undefined, 'stop')}data: [DONE]\n\n`,
          size,
        ),
      );
      const { turn, written, ended } = fakeTurn('Hello');
      await modelAssistant({ baseUrl, model: 'm' }, knowledge).onMessage?.(turn, 'Hello');
      expect(written).toEqual(words);
      expect(ended()).toBe(true);
    },
  );

  test('the model is sent the conversation from the log, and what is documented about the question', async () => {
    let asked: ChatRequest | undefined;
    const baseUrl = await modelEndpoint((response, request) => {
      asked = request;
      return dribble(response, chunk('ok', 'stop'), 1000);
    });
    const { turn } = fakeTurn('what is a zebra?', undefined, ['My name is Ada', 'Hello Ada']);
    await modelAssistant({ baseUrl }, knowledge).onMessage?.(turn, 'what is a zebra?');
    expect(asked?.model).toBe('local-model');
    expect(asked?.stream).toBe(true);
    const [system, ...said] = asked?.messages ?? [];
    expect(system?.role).toBe('system');
    expect(system?.content).toContain('every stripe is documented');
    expect(said).toEqual([
      { role: 'user', content: 'My name is Ada' },
      { role: 'assistant', content: 'Hello Ada' },
      { role: 'user', content: 'what is a zebra?' },
    ]);
  });

  test('a turn that is stopped ends the request to the model', async () => {
    const controller = new AbortController();
    const gone = Promise.withResolvers<void>();
    const baseUrl = await modelEndpoint((response) => {
      response.on('close', gone.resolve);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk('one '));
    });
    const { turn, written } = fakeTurn('Hello', controller.signal);
    const stopAtFirst = {
      ...turn,
      stream: async () => ({
        ...(await turn.stream()),
        write: async (text: string) => {
          written.push(text);
          controller.abort(new Error('stopped'));
        },
      }),
    };
    const answering = modelAssistant({ baseUrl, model: 'm' }, knowledge).onMessage?.(stopAtFirst, 'Hello');
    await expect(answering).rejects.toThrow();
    await gone.promise;
    expect(written).toEqual(['one ']);
  });

  test('a refusal of the endpoint fails the turn, after what people see has begun', async () => {
    const baseUrl = await modelEndpoint((response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"bad key"}}');
    });
    const { turn, ended } = fakeTurn('Hello');
    await expect(modelAssistant({ baseUrl, model: 'm' }, knowledge).onMessage?.(turn, 'Hello')).rejects.toThrow('401');
    expect(ended()).toBe(false);
  });

  test('a stream that breaks off is a failure, not a short answer', async () => {
    const baseUrl = await modelEndpoint((response) => dribble(response, chunk('half an '), 1000));
    const { turn, written } = fakeTurn('Hello');
    const answering = modelAssistant({ baseUrl, model: 'm' }, knowledge).onMessage?.(turn, 'Hello');
    await expect(answering).rejects.toThrow('stopped in the middle');
    expect(written).toEqual(['half an ']);
  });
});

describe('the settings', () => {
  test('without key and address there is no model', () => {
    expect(readModelSettings({})).toBeUndefined();
    expect(readModelSettings({ OPENAI_API_KEY: '', OPENAI_MODEL: 'm' })).toBeUndefined();
  });

  test('a key or an address is enough', () => {
    expect(readModelSettings({ OPENAI_API_KEY: 'k' })).toMatchObject({ apiKey: 'k' });
    expect(readModelSettings({ OPENAI_BASE_URL: 'http://localhost:1/v1', OPENAI_MODEL: 'm' })).toMatchObject({
      baseUrl: 'http://localhost:1/v1',
      model: 'm',
    });
  });
});

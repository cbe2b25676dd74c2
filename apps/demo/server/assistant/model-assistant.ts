// The assistant that speaks with a language model behind the chat completions API. The log is its memory: the model is
// sent what was said, and what it answers is written as it comes. What fails is thrown, and becomes a RUN_ERROR.

import type { Tool } from '@haip/protocol';
import OpenAI from 'openai';
import type { Knowledge } from './knowledge.ts';
import { linesBefore, textOf } from './lines.ts';
import type { Line } from './notebook.ts';

export interface ModelSettings {
  /** Default: none, which local servers accept. */
  readonly apiKey?: string | undefined;
  /** Default: api.openai.com. */
  readonly baseUrl?: string | undefined;
  /** Default: the first that a server of one's own offers, else `gpt-5-mini`. */
  readonly model?: string | undefined;
}

/** The settings from OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL; undefined when neither key nor address is set. */
export function readModelSettings(env: Readonly<Record<string, string | undefined>>): ModelSettings | undefined {
  const apiKey = env['OPENAI_API_KEY'] || undefined;
  const baseUrl = env['OPENAI_BASE_URL'] || undefined;
  if (apiKey === undefined && baseUrl === undefined) return undefined;
  return { apiKey, baseUrl, model: env['OPENAI_MODEL'] || undefined };
}

const longestMemory = 40;

const role = `You are the assistant in the demo of HAIP, the Human-Agent Interaction Protocol. Answer kindly and briefly, in
the language of the person. Plain text; lists, **bold** and \`code\` are shown, other Markdown is not. Your words are
streamed over HAIP; when the connection is cut while you speak, the person gets the rest after it.`;

type Message = OpenAI.Chat.ChatCompletionMessageParam;

function messagesFor(lines: readonly Line[], known: string | undefined): Message[] {
  const system = known === undefined ? role : `${role}\n\nFrom the documentation:\n${known}`;
  const spoken = lines
    .slice(-longestMemory)
    .map(({ who, text }): Message => ({ role: who === 'assistant' ? 'assistant' : 'user', content: text }));
  return [{ role: 'system', content: system }, ...spoken];
}

export function modelAssistant(settings: ModelSettings, knowledge: Knowledge): Tool {
  const { apiKey = 'none', baseUrl, model } = settings;
  const client = new OpenAI({ apiKey, baseURL: baseUrl ?? null, maxRetries: 1, timeout: 60_000 });

  async function chooseModel(signal: AbortSignal): Promise<string> {
    if (model !== undefined || baseUrl === undefined) return model ?? 'gpt-5-mini';
    const [first] = (await client.models.list({ signal })).data;
    if (!first) throw new Error(`no model: ${baseUrl} offers none, and OPENAI_MODEL is not set`);
    return first.id;
  }

  return {
    name: 'assistant',
    description: `Speaks with ${model ?? 'a language model'}.`,
    async onMessage(turn, input) {
      const { signal } = turn;
      const text = textOf(input);
      if (text === undefined) return turn.reply('I read text only.');
      const lines = linesBefore(await turn.conversation(), turn.message.position, text);
      // Begun before the model is asked, so that people see at once that an answer is on its way.
      const message = await turn.stream({ author: 'Assistant' });
      const messages = messagesFor(lines, knowledge.find(text)?.paragraphs.join('\n'));
      const answer = await client.chat.completions.create(
        { model: await chooseModel(signal), messages, stream: true },
        { signal },
      );
      let finished = false;
      for await (const { choices } of answer) {
        const [choice] = choices;
        if (choice?.delta.content) await message.write(choice.delta.content);
        finished ||= typeof choice?.finish_reason === 'string';
      }
      // A stream that simply stops is read by the client library as a complete one.
      if (!finished) throw new Error('the model stopped in the middle of its answer');
      await message.end();
    },
  };
}

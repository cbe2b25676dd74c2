// The tools a server has, and what it tells of them. Checks inputs by any Standard Schema. Spec: §6, tools.

import { type Entry, isId, isJsonObject, type JsonObject, type JsonValue, type Tool } from '@haip/protocol';
import { ownJson } from './own.ts';
import { promised, unheeded } from './promises.ts';

// Each tool has an input type of its own, which only its schema knows.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type AnyTool = Tool<any>;

/** Whether a tool answers an entry: a person's whole message, the end of a streamed one, a piece of audio. */
export function answers(tool: AnyTool, { type, user }: Pick<Entry, 'type' | 'user'>): boolean {
  if (user === null) return false;
  if (type === 'AUDIO') return tool.onAudio !== undefined;
  return (type === 'MESSAGE' || type === 'MESSAGE_END') && tool.onMessage !== undefined;
}

/** Schemas may describe themselves as JSON Schema (Standard JSON Schema); ask, and take no for an answer. */
interface DescribesItself {
  readonly jsonSchema?: { input(options: { readonly target: string }): JsonObject };
}

const isFunction = (given: unknown): boolean => typeof given === 'function';

const kindOf = (given: unknown): string => (given === null ? 'null' : typeof given);

/** What a tool may have. Types say so too, but not to everybody, and a handler that is none would answer nobody, ever. */
const shapes: readonly (readonly [keyof AnyTool, expected: string, fits: (given: unknown) => boolean])[] = [
  ['description', 'a text', (given) => typeof given === 'string'],
  ['input', 'a Standard Schema', (given) => isFunction((given as AnyTool['input'])?.['~standard']?.validate)],
  ['inputJsonSchema', 'a JSON Schema', isJsonObject],
  ['whileRunning', '"queue", "interrupt" or "refuse"', (given) => /^(queue|interrupt|refuse)$/.test(String(given))],
  ['onMessage', 'a function', isFunction],
  ['onAudio', 'a function', isFunction],
];

export class Toolbox {
  readonly #tools = new Map<string, AnyTool>();

  /** @throws TypeError for a name that is no id, or one that is taken, and for whatever else a tool can not have. */
  add(tool: AnyTool): void {
    if (!isId(tool.name))
      throw new TypeError(`tool name: expected 1 to 128 of A-Z a-z 0-9 _ . : -, got "${tool.name}"`);
    if (this.#tools.has(tool.name)) throw new TypeError(`tool "${tool.name}": registered twice`);
    for (const [property, expected, fits] of shapes) {
      if (tool[property] !== undefined && !fits(tool[property]))
        throw new TypeError(
          `tool "${tool.name}": expected ${property} to be ${expected}, got ${kindOf(tool[property])}`,
        );
    }
    this.#tools.set(tool.name, tool);
  }

  get(name: string): AnyTool | undefined {
    return this.#tools.get(name);
  }

  list(): JsonValue {
    return [...this.#tools.values()].map(({ name, description }) =>
      description === undefined ? { name } : { name, description },
    );
  }

  /** A tool's input as JSON Schema; `{}`, which takes anything, when nothing better is known. */
  schemaOf(tool: AnyTool): JsonObject {
    if (tool.inputJsonSchema !== undefined) return tool.inputJsonSchema;
    const described = (tool.input?.['~standard'] as DescribesItself | undefined)?.jsonSchema;
    try {
      const schema: unknown = described?.input({ target: 'draft-2020-12' });
      unheeded(schema);
      return isJsonObject(schema) ? ownJson(schema) : {};
    } catch {
      // A schema with a transformation has no JSON Schema, which is no fault of whoever asks.
      return {};
    }
  }
}

/** What a schema made of a payload. */
export type CheckedInput =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly expected: string };

/** Checks a payload against a tool's input schema; at once when the schema is. */
export function checkInput(tool: AnyTool, payload: JsonValue): CheckedInput | Promise<CheckedInput> {
  if (tool.input === undefined) return { ok: true, value: payload };
  // There are schemas that change what they are given.
  const result = tool.input['~standard'].validate(ownJson(payload));
  return promised(result)?.then(readResult) ?? readResult(result as ValidationResult);
}

type ValidationResult = Awaited<ReturnType<NonNullable<AnyTool['input']>['~standard']['validate']>>;

function readResult(result: ValidationResult): CheckedInput {
  if (result.issues === undefined) return { ok: true, value: result.value };
  // A schema's own message may quote the input, so only the path is told.
  const path = result.issues[0]?.path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return { ok: false, expected: path ? `the tool's input at ${path.slice(0, 128)}` : "the tool's input" };
}

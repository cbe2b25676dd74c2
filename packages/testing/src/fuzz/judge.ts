// Whether a text is an envelope, found in another way than the codec finds it: JSON.parse first, then the rules one by
// one, with nothing shared but the limits and the names of the fields. Slow on purpose. Spec: §1.

import { type CodecLimits, envelopeFields } from '@haip/protocol';
import { tokensOf } from './tokens.ts';

const id = /^[A-Za-z0-9_.:-]{1,128}$/;
const mime = /^[\w!#$&^.+-]{1,64}\/[\w!#$&^.+-]{1,64}(?:;[ ]?[\w.+-]{1,32}=[\w.+-]{1,64}){0,4}$/;
const highest = 2n ** 64n - 1n;

const isId = (value: unknown): boolean => typeof value === 'string' && id.test(value);
const isChannel = (value: unknown): boolean => isId(value) && !/[.:]/.test(value as string);
const isDecimal = (value: unknown): boolean =>
  typeof value === 'string' && /^(0|[1-9]\d{0,19})$/.test(value) && BigInt(value) <= highest;
const isMime = (value: unknown): boolean => typeof value === 'string' && value.length <= 256 && mime.test(value);
const isLabel = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= 128 && !/\p{Surrogate}/u.test(value);
const upTo = (most: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;
const absentOr = (rule: (value: unknown) => boolean) => (value: unknown) => value === undefined || rule(value);

function rules({ maxBinaryBytes }: CodecLimits): Record<string, (value: unknown) => boolean> {
  return {
    id: isId,
    transaction: absentOr((value) => value === null || isId(value)),
    session: (value) => value === '' || isId(value),
    seq: isDecimal,
    ts: isDecimal,
    channel: isChannel,
    type: isId,
    payload: (value) => value !== undefined && value !== null,
    from_seq: absentOr(isDecimal),
    ack: absentOr(isDecimal),
    bin_len: absentOr(upTo(maxBinaryBytes)),
    bin_mime: absentOr(isMime),
    pv: absentOr(upTo(255)),
    crit: absentOr((value) => typeof value === 'boolean'),
    run_id: absentOr(isId),
    related_id: absentOr(isId),
    thread_id: absentOr(isLabel),
  };
}

/** Whether every number can be written again, nothing is nested too deep, and no object has too many keys. */
function isTame(value: unknown, limits: CodecLimits, level = 1): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (level > limits.maxDepth) return false;
  const inside = Object.values(value);
  if (!Array.isArray(value) && inside.length > limits.maxKeys) return false;
  return inside.every((each) => isTame(each, limits, level + 1));
}

/** For each object in a valid JSON text, its keys as they are spelled out, outermost first. */
function spelledKeys(text: string): string[][] {
  const objects: string[][] = [];
  const open: (string[] | undefined)[] = [];
  const tokens = tokensOf(text);
  for (const [at, token] of tokens.entries()) {
    if (token === '{') {
      const keys: string[] = [];
      objects.push(keys);
      open.push(keys);
    } else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (tokens[at + 1] === ':') open.at(-1)?.push(JSON.parse(token));
  }
  return objects;
}

/** True for a text that a server must take for an envelope; every other one it must refuse. */
export function isEnvelopeText(text: string, limits: CodecLimits): boolean {
  if (text.length > limits.maxTextBytes) return false;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !isTame(value, limits)) return false;
  const objects = spelledKeys(text);
  if (objects.some((keys) => keys.length > limits.maxKeys)) return false;
  const own = objects[0] ?? [];
  if (new Set(own).size !== own.length) return false;
  const fields = new Map(Object.entries(value));
  if (fields.get('crit') === true && own.some((key) => !(envelopeFields as readonly string[]).includes(key)))
    return false;
  return Object.entries(rules(limits)).every(([name, holds]) => holds(fields.get(name)));
}

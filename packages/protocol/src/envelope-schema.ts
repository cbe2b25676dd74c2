// The envelope's grammar as a schema: the source of truth. The codec checks the same by hand, four times faster, and a
// property test holds the two equal. Never used per message. Spec: §1.

import * as v from 'valibot';
import { defaultCodecLimits } from './codec-limits.ts';
import { envelopeFields } from './envelope.ts';
import { decimal, id, json, mime } from './events/shapes.ts';
import { isChannel } from './grammar.ts';
import { isJsonObject } from './json.ts';

const known: ReadonlySet<string> = new Set<string>(envelopeFields);

const channel = v.pipe(
  v.string(),
  v.check((name) => isChannel(name), 'a channel name'),
);
const wholeNumber = (highest: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(highest));
const wellFormed = v.pipe(
  v.string(),
  v.maxLength(128),
  v.check((label) => label.isWellFormed(), 'text without lone surrogates'),
);

/**
 * An envelope as it may come: `transaction` may be left out, and a peer that has no session yet writes an empty one.
 * Unknown fields pass, unless `crit` is true. `bin_len` goes up to the default limit.
 */
export const envelopeSchema = v.pipe(
  v.unknown(),
  // Before the object's schema, whose output has lost a `__proto__` field.
  v.check(
    (value) => !isJsonObject(value) || value['crit'] !== true || Object.keys(value).every((key) => known.has(key)),
    'only known fields in a critical message',
  ),
  v.looseObject({
    id,
    transaction: v.nullish(id),
    session: v.union([v.literal(''), id]),
    seq: decimal,
    ts: decimal,
    channel,
    type: id,
    payload: json,
    from_seq: v.optional(decimal),
    ack: v.optional(decimal),
    bin_len: v.optional(wholeNumber(defaultCodecLimits.maxBinaryBytes)),
    bin_mime: v.optional(mime),
    pv: v.optional(wholeNumber(255)),
    crit: v.optional(v.boolean()),
    run_id: v.optional(id),
    thread_id: v.optional(wellFormed),
    related_id: v.optional(id),
  }),
);

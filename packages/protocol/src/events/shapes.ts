// Pieces that several payloads share.

import * as v from 'valibot';
import { DECIMAL, ID, isDecimal, MIME } from '../grammar.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';

export const id: v.GenericSchema<string> = v.pipe(v.string(), v.regex(ID, 'an id'));
export const decimal: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(DECIMAL, 'a decimal string'),
  v.check((value) => isDecimal(value), 'a decimal string up to 2^64-1'),
);
export const mime: v.GenericSchema<string> = v.pipe(v.string(), v.maxLength(256), v.regex(MIME, 'a media type'));
export const count: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(Number.MAX_SAFE_INTEGER),
);
export const label: v.GenericSchema<string> = v.pipe(v.string(), v.maxLength(128));
export const text: v.GenericSchema<string> = v.string();

/** Any JSON value but null, which no payload may be. The codec made it from JSON, so its inside needs no second look. */
export const json: v.GenericSchema<unknown, JsonValue> = v.custom<JsonValue>(
  (value) => value !== undefined && value !== null,
  'a JSON value other than null',
);
export const jsonObject: v.GenericSchema<unknown, JsonObject> = v.custom<JsonObject>(isJsonObject, 'an object');

/** An object with these fields and any others. An array is none, although `looseObject` alone would take it for one. */
export function object<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.pipe(v.unknown(), v.check(isJsonObject, 'an object'), v.looseObject(entries));
}

/** The message of an issue that shows a message to run the wrong way. */
export const wrongWay = 'not what the server answers';

/** A field that only the other side writes. */
export const notFromHere = v.optional(v.never(wrongWay));

import { isJsonObject, type JsonValue } from '@haip/protocol';

/** A field of a payload when it is a string. */
export function textField(payload: JsonValue, name: string): string | undefined {
  const value = isJsonObject(payload) ? payload[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

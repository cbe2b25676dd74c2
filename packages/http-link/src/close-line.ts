// What travels on a line beside envelopes, the same up and down: the end, with its code. Pure. Spec: §7.

import type { ConnectionEnd } from '@haip/protocol';

/** How an end is written: `{"code":1012,"reason":"restart","retry_after_ms":1500}`. */
export function writeEnd({ code, reason, retryAfterMs }: ConnectionEnd): string {
  return JSON.stringify({ code, reason, retry_after_ms: retryAfterMs && Math.round(retryAfterMs) });
}

/** The end as a peer told it; one without a proper code is a normal one. */
export function readEnd(text: string): ConnectionEnd {
  const { code, reason, retry_after_ms: retryAfterMs } = JSON.parse(text) as Record<string, unknown>;
  const end = { code: Number.isInteger(code) ? Number(code) : 1000, reason: String(reason ?? '').slice(0, 123) };
  return typeof retryAfterMs === 'number' ? { ...end, retryAfterMs } : end;
}

const control = /^\{"(close|probe)":(.*)\}$/s;

/** What a line of NDJSON says about the link itself: a word and its JSON; undefined for an envelope. */
export function readControl(line: string): readonly [word: string, json: string] | undefined {
  const [, word, json] = (line.length < 1024 && control.exec(line)) || [];
  return word && json ? [word, json] : undefined;
}

/** A text that stays on one line. An envelope as we write it has no break; one that was laid out by hand may. */
export function onOneLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, ' ') : text;
}

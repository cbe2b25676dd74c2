// HTTP statuses and close codes: the same verdict in two vocabularies. Spec: §2, §6, §7.

import type { CloseCode } from '@haip/protocol';

const statusByCode: Readonly<Partial<Record<number, number>>> = {
  1002: 400,
  1003: 400,
  1007: 400,
  1008: 401,
  1009: 413,
  1011: 500,
  4408: 408,
  4409: 409,
  4429: 429,
};

/** The status that answers a HAI whose connection was closed with `code` instead of a reply. */
export function statusOf(code: number): number {
  return statusByCode[code] ?? 503;
}

/** What a stream that did not open, or a POST that was refused for good, means for the connection. */
export function codeOf(status: number): CloseCode {
  if (status === 401) return 1008;
  if (status === 413) return 1009;
  if (status === 429 || status === 503) return 1013;
  return status === 405 || status === 415 ? 1002 : 1006;
}

// What stores tell each other over the channel, as payloads of notifications: JSON, each below 8,000 bytes. Spec: §7.

/** Somebody appended, somebody's rights ended, a word for a topic; `parked` is a word that lies in the table of words. */
export type Hint =
  | { readonly kind: 'changed'; readonly by: string; readonly names: readonly string[] }
  | { readonly kind: 'revoked'; readonly by: string; readonly names: readonly string[] }
  | { readonly kind: 'word'; readonly by: string; readonly topic: string; readonly body: Uint8Array }
  | { readonly kind: 'parked'; readonly by: string; readonly topic: string; readonly id: number };

const MOST_BYTES = 7_999;

/** As few payloads as tell all names. A name that fits into none is left out. */
export function payloadsOf(kind: 'changed' | 'revoked', by: string, names: readonly string[]): string[] {
  const head = JSON.stringify([kind, by]).slice(0, -1);
  const room = MOST_BYTES - Buffer.byteLength(head) - 1;
  const payloads: string[] = [];
  let [pieces, used] = ['', 0];
  for (const name of names) {
    const piece = `,${JSON.stringify(name)}`;
    const bytes = Buffer.byteLength(piece);
    if (bytes > room) continue;
    if (used + bytes > room) {
      payloads.push(`${head}${pieces}]`);
      [pieces, used] = ['', 0];
    }
    pieces += piece;
    used += bytes;
  }
  return pieces === '' ? payloads : [...payloads, `${head}${pieces}]`];
}

/** Undefined for a body that is too long for a payload. */
export function wordPayload(by: string, topic: string, body: Uint8Array): string | undefined {
  // base64 makes four of three: what is far too long need not be encoded to see that.
  if (body.length > MOST_BYTES) return undefined;
  const payload = JSON.stringify(['word', by, topic, Buffer.from(body).toString('base64')]);
  return Buffer.byteLength(payload) <= MOST_BYTES ? payload : undefined;
}

/** Undefined for a payload of somebody else: anybody may write into a channel. */
export function readHint(payload: string): Hint | undefined {
  const read = parse(payload);
  if (!Array.isArray(read)) return undefined;
  const [kind, by, first, second] = read as unknown[];
  if (typeof by !== 'string' || typeof first !== 'string') return undefined;
  if (kind === 'changed' || kind === 'revoked') {
    return { kind, by, names: read.slice(2).filter((name) => typeof name === 'string') };
  }
  if (kind === 'word' && typeof second === 'string') {
    return { kind, by, topic: first, body: Buffer.from(second, 'base64') };
  }
  if (kind === 'parked' && typeof second === 'number') return { kind, by, topic: first, id: second };
  return undefined;
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

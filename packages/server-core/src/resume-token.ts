// The secret that lets a client keep its session on any node: a keyed digest over session and user, so that no store
// is asked and another user's token is worth nothing. Spec: §2.

import { isId, type Signer } from '@haip/protocol';

// JSON keeps the two apart: no user id can be read as part of a session.
const subject = (kept: string, user: string): string => JSON.stringify(['haip-resume', kept, user]);

/** A token for this session of this user. */
export async function issueToken(signer: Signer, session: string, user: string, now: number): Promise<string> {
  const kept = `${session}.${now}`;
  return `${kept}.${await signer.sign(subject(kept, user))}`;
}

/**
 * The session a token keeps for this user; undefined for one that is forged, foreign or none, and for one that is not
 * newer than `revokedAt`.
 */
export async function readToken(
  signer: Signer,
  token: unknown,
  user: string,
  revokedAt: number,
): Promise<string | undefined> {
  if (typeof token !== 'string') return undefined;
  const [kept, mac] = splitLast(token);
  const [session, issuedAt] = splitLast(kept);
  if (!isId(session) || !(Number(issuedAt) > revokedAt)) return undefined;
  return (await signer.verify(subject(kept, user), mac)) ? session : undefined;
}

/** What stands before the last dot, and what behind it. */
function splitLast(text: string): [string, string] {
  const dot = text.lastIndexOf('.');
  return [text.slice(0, Math.max(dot, 0)), text.slice(dot + 1)];
}

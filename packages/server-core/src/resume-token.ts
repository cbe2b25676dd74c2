// The secret that lets a client keep its session on any node: a keyed digest over session and user, so that no store
// is asked and another user's token is worth nothing. Spec: §2.

import { isId, type Signer } from '@haip/protocol';

// JSON keeps the two apart: no user id can be read as part of a session.
const subject = (session: string, user: string): string => JSON.stringify(['haip-resume', session, user]);

/** A token for this session of this user. */
export async function issueToken(signer: Signer, session: string, user: string): Promise<string> {
  return `${session}.${await signer.sign(subject(session, user))}`;
}

/** The session a token keeps for this user; undefined for one that is forged, foreign or none. */
export async function readToken(signer: Signer, token: unknown, user: string): Promise<string | undefined> {
  if (typeof token !== 'string') return undefined;
  const dot = token.lastIndexOf('.');
  const session = token.slice(0, dot);
  if (dot < 1 || !isId(session)) return undefined;
  return (await signer.verify(subject(session, user), token.slice(dot + 1))) ? session : undefined;
}

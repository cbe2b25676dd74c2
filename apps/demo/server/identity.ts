// Who is who in the demo: each browser keeps a random secret of its own, and a digest of it names the user. Nobody
// signs up. The link to a conversation is the invitation to it, so everybody may join what they know the id of.

import { createHash } from 'node:crypto';
import { type Authenticator, createPermissionMap } from '@haip/protocol';

const secret = /^[A-Za-z0-9_-]{22,64}$/;

const permissions = createPermissionMap({
  MESSAGE: ['*'],
  AUDIO: ['*'],
  TRANSACTION_JOIN: ['*'],
  // To stop an answer or a call, and to answer a call that asks.
  RUN_CANCEL: ['*'],
  TOOL_CANCEL: ['*'],
  TOOL_UPDATE: ['*'],
});

/** Takes `{ token }`, 22 to 64 characters of base64url; anything else is refused. */
export const demoAuthenticator: Authenticator = (auth: unknown) => {
  const token = typeof auth === 'object' && auth !== null && 'token' in auth ? auth.token : undefined;
  if (typeof token !== 'string' || !secret.test(token)) return null;
  const digest = createHash('sha256').update(token).digest('hex').slice(0, 32);
  return { id: `demo-${digest}`, permissions, credits: 1000 };
};

import type { AuthContext } from '@haip/protocol';
import { expect, test } from 'vitest';
import { demoAuthenticator } from '../server/identity.ts';

const context: AuthContext = { transport: 'memory', headers: {}, signal: new AbortController().signal };
const secret = 'A'.repeat(32);

test('a secret names always the same user, and never stands in the id', async () => {
  const user = await demoAuthenticator({ token: secret }, context);
  expect(user).toEqual(await demoAuthenticator({ token: secret }, context));
  expect(user?.id).toMatch(/^demo-[0-9a-f]{32}$/);
  expect(user?.credits).toBe(1000);
  expect(user?.id).not.toBe((await demoAuthenticator({ token: 'B'.repeat(32) }, context))?.id);
});

test.each([
  undefined,
  null,
  'token',
  42,
  [],
  {},
  { token: '' },
  { token: 'short' },
  { token: 7 },
  { token: `${secret}\n` },
  { token: 'A'.repeat(65) },
  { token: `${'A'.repeat(30)} ü` },
])('%j is nobody', async (auth) => {
  expect(await demoAuthenticator(auth, context)).toBeNull();
});

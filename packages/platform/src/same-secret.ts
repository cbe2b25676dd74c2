/**
 * Whether what was given is the secret: a token, a digest. Takes equally long wherever the two differ, so that time
 * tells a guesser nothing; `===` stops at the first character that differs. How long the secret is may show.
 *
 * @param given whatever came; anything but a string is not the secret, and neither is an empty one
 */
export function isSameSecret(given: unknown, secret: string): boolean {
  const text = typeof given === 'string' ? given : '';
  let difference = text.length ^ secret.length;
  for (let i = 0; i < secret.length; i++) difference |= text.charCodeAt(i) ^ secret.charCodeAt(i);
  return difference === 0 && secret !== '';
}

// The random secret that makes this browser a user of the demo: made once, kept in localStorage, sent as the token.

const storageKey = 'haip-secret';

function randomSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

/** The same on every visit; for this visit only where storage is closed to the page. */
export function userSecret(): string {
  try {
    const known = localStorage.getItem(storageKey);
    if (known) return known;
    const fresh = randomSecret();
    localStorage.setItem(storageKey, fresh);
    return fresh;
  } catch {
    return randomSecret();
  }
}

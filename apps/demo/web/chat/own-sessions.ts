// Remembers the sessions of this browser, so that what was written in them is still "yours" after a reload.

const storageKey = 'haip-sessions';
const mostRemembered = 500;

function readSessions(): string[] {
  try {
    const sessions: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]');
    return Array.isArray(sessions) ? sessions.filter((session) => typeof session === 'string') : [];
  } catch {
    return [];
  }
}

export class OwnSessions {
  readonly #sessions = new Set(readSessions());

  has(session: string): boolean {
    return this.#sessions.has(session);
  }

  add(session: string): void {
    if (this.#sessions.has(session)) return;
    this.#sessions.add(session);
    // Read again: another tab of this browser may have added its own.
    const kept = [...new Set([...readSessions(), session])].slice(-mostRemembered);
    try {
      localStorage.setItem(storageKey, JSON.stringify(kept));
    } catch {
      // Without storage they are remembered until the page closes.
    }
  }
}

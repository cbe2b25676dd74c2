// Says how the connection is, in words and colour.

import { useEffect, useState } from 'react';
import type { Link } from '../chat/chat-state.ts';
import { useChat } from '../chat/use-chat.ts';

/** Whole seconds until `at`, counted anew four times a second. */
function useSecondsUntil(at: number | undefined): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (at === undefined) return;
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, [at]);
  return at === undefined ? 0 : Math.max(0, Math.ceil((at - now) / 1000));
}

function wordsFor(link: Link, seconds: number): string {
  if (link.name === 'connected') return 'Connected';
  if (link.name === 'connecting') return 'Connecting…';
  if (link.name === 'disconnected') return 'Offline';
  return seconds > 0 ? `Reconnecting in ${seconds} s` : 'Reconnecting…';
}

export function ConnectionPill() {
  const { link } = useChat();
  const seconds = useSecondsUntil(link.name === 'waiting' ? link.retryAt : undefined);
  return (
    <div className="pill" data-link={link.name}>
      <span className="pill-dot" aria-hidden="true" />
      <span data-testid="connection">{wordsFor(link, seconds)}</span>
      {link.name === 'disconnected' && (
        <button type="button" className="pill-button" onClick={() => location.reload()}>
          Connect
        </button>
      )}
    </div>
  );
}

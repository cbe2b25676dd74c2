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

interface Words {
  readonly whole: string;
  /** For where there is no room; empty where the dot and the button say enough. */
  readonly brief: string;
}

function wordsFor(link: Link, seconds: number): Words {
  if (link.name === 'connected') return { whole: 'Connected', brief: 'Online' };
  if (link.name === 'connecting') return { whole: 'Connecting…', brief: 'Opening…' };
  if (link.name === 'disconnected') return { whole: 'Offline', brief: '' };
  if (seconds === 0) return { whole: 'Reconnecting…', brief: 'Retrying…' };
  return { whole: `Reconnecting in ${seconds} s`, brief: `Retry ${seconds} s` };
}

export function ConnectionPill() {
  const { link } = useChat();
  const seconds = useSecondsUntil(link.name === 'waiting' ? link.retryAt : undefined);
  const { whole, brief } = wordsFor(link, seconds);
  return (
    <div className="pill" data-link={link.name}>
      <span className="pill-dot" aria-hidden="true" />
      <span className="pill-words">{whole}</span>
      {brief !== '' && (
        <span className="pill-brief" aria-hidden="true">
          {brief}
        </span>
      )}
      {link.name === 'disconnected' && (
        <button type="button" className="pill-button" onClick={() => location.reload()}>
          Connect
        </button>
      )}
    </div>
  );
}

// The page as a whole: the bar above, and below it the choice of a conversation or the conversation.

import { useEffect } from 'react';
import { Announcer } from './chat/announcer.tsx';
import { ChatView } from './chat/chat-view.tsx';
import { useChat } from './chat/use-chat.ts';
import { ConnectionPill } from './parts/connection-pill.tsx';
import { Failure } from './parts/failure.tsx';
import { Mark, PlusIcon } from './parts/icons.tsx';
import { ShareButton } from './parts/share-button.tsx';
import { ThemeButton } from './parts/theme-button.tsx';
import { fragmentFor } from './share-link.ts';
import { StartScreen } from './start/start-screen.tsx';

function TopBar({ transaction }: { readonly transaction: string | undefined }) {
  return (
    <header className="top-bar">
      <a className="wordmark" href="/" aria-label="HAIP demo: new conversation">
        <Mark />
        <span>HAIP</span>
      </a>
      <div className="top-bar-end">
        <ConnectionPill />
        {transaction && (
          <a className="quiet-button new-button" href="/">
            <PlusIcon />
            <span>New</span>
          </a>
        )}
        {transaction && <ShareButton />}
        <ThemeButton />
      </div>
    </header>
  );
}

export function App() {
  const { phase } = useChat();
  const transaction = phase.name === 'open' ? phase.transaction : undefined;

  useEffect(() => {
    if (transaction && location.hash !== fragmentFor(transaction))
      history.replaceState(null, '', fragmentFor(transaction));
  }, [transaction]);

  return (
    <>
      <button type="button" className="skip-link" onClick={focusMain}>
        Skip to the conversation
      </button>
      <TopBar transaction={transaction} />
      {phase.name === 'failed' && <Failure code={phase.code} />}
      {phase.name === 'open' && <ChatView />}
      {phase.name === 'joining' && (
        <main id="main" className="joining" tabIndex={-1} aria-busy="true" aria-label="Joining" />
      )}
      {(phase.name === 'choosing' || phase.name === 'starting') && <StartScreen />}
      <Announcer />
    </>
  );
}

/** By hand, as the fragment of this page is the conversation's. */
function focusMain(): void {
  document.querySelector<HTMLElement>('#main')?.focus();
}

// The page as a whole: the bar above, the list of conversations, and beside it the choice of one or the one chosen.

import { useEffect, useRef } from 'react';
import { Announcer } from './chat/announcer.tsx';
import { ChatView } from './chat/chat-view.tsx';
import { useChatValue, useConversations } from './chat/use-chat.ts';
import { ConversationNav } from './conversations/conversation-nav.tsx';
import { isExpired } from './conversations/groups.ts';
import { NewLink } from './conversations/new-link.tsx';
import { ConversationDrawer, useHasRoom } from './conversations/sidebar.tsx';
import { ConnectionPill } from './parts/connection-pill.tsx';
import { Failure } from './parts/failure.tsx';
import { Mark, PlusIcon } from './parts/icons.tsx';
import { ShareButton } from './parts/share-button.tsx';
import { ThemeButton } from './parts/theme-button.tsx';
import { fragmentFor } from './share-link.ts';
import { StartScreen } from './start/start-screen.tsx';

interface TopBarProps {
  readonly transaction: string | undefined;
  readonly hasRoom: boolean;
}

function TopBar({ transaction, hasRoom }: TopBarProps) {
  return (
    <header className="top-bar">
      <div className="top-bar-start">
        {!hasRoom && <ConversationDrawer />}
        <NewLink className="wordmark" label="HAIP demo: new conversation">
          <Mark />
          <span>HAIP</span>
        </NewLink>
      </div>
      <div className="top-bar-end">
        <ConnectionPill />
        {transaction && !hasRoom && (
          <NewLink className="icon-button" label="New conversation">
            <PlusIcon />
          </NewLink>
        )}
        {transaction && <ShareButton />}
        <ThemeButton />
      </div>
    </header>
  );
}

/** The title in the browser's tab, and the link of the conversation in its address. */
function usePlace(transaction: string | undefined, title: string | undefined): void {
  useEffect(() => {
    if (transaction && location.hash !== fragmentFor(transaction))
      history.replaceState(null, '', fragmentFor(transaction));
  }, [transaction]);
  useEffect(() => {
    document.title = title === undefined ? 'HAIP demo' : `${title} · HAIP demo`;
  }, [title]);
}

/** Whoever comes back to the choice, or fails to get somewhere, goes on there and not where they came from. */
function useFocusOnMain(phase: string): void {
  const before = useRef(phase);
  useEffect(() => {
    const isOther = before.current !== phase;
    before.current = phase;
    if (isOther && (phase === 'choosing' || phase === 'failed')) focusMain();
  }, [phase]);
}

export function App() {
  const phase = useChatValue((state) => state.phase);
  const { items } = useConversations();
  const hasRoom = useHasRoom();
  const transaction = phase.name === 'open' ? phase.transaction : undefined;
  const listed = items.find((item) => item.transaction === transaction);
  const title = listed?.title;
  const hasExpired = listed !== undefined && isExpired(listed, new Date());
  usePlace(transaction, title);
  useFocusOnMain(phase.name);

  return (
    <>
      <button type="button" className="skip-link" onClick={focusMain}>
        Skip to the conversation
      </button>
      <TopBar transaction={transaction} hasRoom={hasRoom} />
      {hasRoom && (
        <div className="sidebar">
          <ConversationNav />
        </div>
      )}
      {phase.name === 'failed' && <Failure code={phase.code} />}
      {phase.name === 'open' && <ChatView key={transaction} title={title} hasExpired={hasExpired} />}
      {phase.name === 'joining' && (
        <main id="main" className="joining" tabIndex={-1} aria-busy="true" aria-label="Joining" />
      )}
      {(phase.name === 'choosing' || phase.name === 'starting') && <StartScreen />}
      <Announcer key={`news of ${transaction}`} />
    </>
  );
}

/** By hand, as the fragment of this page is the conversation's. */
function focusMain(): void {
  document.querySelector<HTMLElement>('#main')?.focus();
}

// The conversation from the first message to what is not in the log yet. Follows the end while the reader is there.

import { type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { NewLink } from '../conversations/new-link.tsx';
import { DownIcon } from '../parts/icons.tsx';
import { CallRow } from './call-row.tsx';
import type { FailedMessage, UnsentMessage } from './chat-state.ts';
import { MessageRow, unbegun } from './message-row.tsx';
import { timelineOf } from './timeline.ts';
import { unfinishedAnswer } from './unfinished.ts';
import { useChat, useChatStore } from './use-chat.ts';

const nearEndPx = 120;

/** Keeps a scrolled box at its end until the reader scrolls up; not while there is nothing to follow. */
function useFollowEnd(
  box: RefObject<HTMLElement | null>,
  change: unknown,
  isEmpty: boolean,
): { isAtEnd: boolean; goToEnd: () => void } {
  const [isAtEnd, setIsAtEnd] = useState(true);
  const follows = useRef(true);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < nearEndPx;
      setIsAtEnd(follows.current);
    };
    element.addEventListener('scroll', look, { passive: true });
    return () => element.removeEventListener('scroll', look);
  }, [box]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: any change of what is shown may have moved the end
  useLayoutEffect(() => {
    if (follows.current && !isEmpty) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [change, box, isEmpty]);

  const goToEnd = () =>
    box.current?.scrollTo({
      top: box.current.scrollHeight,
      behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth',
    });
  return { isAtEnd, goToEnd };
}

function GapNotice({ first, last }: { readonly first: number; readonly last: number }) {
  const span = first === last ? `Entry ${first} is` : `Entries ${first} to ${last} are`;
  return <li className="notice">{span} no longer kept: you were away for longer than the history lasts.</li>;
}

function ClosedNotice({ code }: { readonly code: string }) {
  if (code !== 'superseded')
    return (
      <li className="notice">
        The server does not have this conversation any more ({code}). <NewLink>Begin a new one</NewLink>
      </li>
    );
  return (
    <li className="notice">
      This tab was opened a second time, and the conversation goes on there.{' '}
      <button type="button" className="text-button" onClick={() => location.reload()}>
        Go on here as well
      </button>
    </li>
  );
}

function UnbegunNotice({ onGoOn }: { readonly onGoOn: (() => void) | undefined }) {
  return (
    <li className="notice">
      {unbegun}{' '}
      {onGoOn && (
        <button type="button" className="text-button" onClick={onGoOn}>
          Go on
        </button>
      )}
    </li>
  );
}

function PendingRow({ message }: { readonly message: UnsentMessage }) {
  return (
    <li className="entry" data-from="me" data-pending="true">
      <div className="rail" title="Not in the log yet">
        <span aria-hidden="true">…</span>
      </div>
      <article className="message" aria-label="You, not stored yet">
        <div className="message-author">
          You <span className="message-note">on its way</span>
        </div>
        <div className="message-text">
          <p className="plain-text">{message.text || 'A piece of audio'}</p>
        </div>
      </article>
    </li>
  );
}

function whyFailed({ isUnknown, isTooLarge }: FailedMessage): string {
  if (isUnknown) return 'Nobody can say whether this was stored.';
  return isTooLarge ? 'This is longer than the server takes, and was not stored.' : 'This was not stored.';
}

function FailedRow({ message }: { readonly message: FailedMessage }) {
  const store = useChatStore();
  return (
    <li className="entry" data-from="me" data-pending="true">
      <div className="rail" aria-hidden="true">
        !
      </div>
      <article className="message" aria-label="You, not stored">
        <div className="message-author">You</div>
        <div className="message-text">
          <p className="plain-text">{message.text || 'A piece of audio'}</p>
        </div>
        <p className="message-fault">
          {whyFailed(message)}{' '}
          {message.text !== '' && !message.isTooLarge && (
            <button type="button" className="text-button" onClick={() => void store.sendAgain(message)}>
              Send it again
            </button>
          )}
        </p>
      </article>
    </li>
  );
}

interface MessageListProps {
  /** What the conversation is called. */
  readonly title: string | undefined;
  /** Whether the page needs a heading: what is among the children may bring its own. */
  readonly hasHeading: boolean;
  readonly onSay: (text: string) => void;
  readonly children: ReactNode;
}

export function MessageList({ title, hasHeading, onSay, children }: MessageListProps) {
  const state = useChat();
  const store = useChatStore();
  const box = useRef<HTMLElement>(null);
  const { isAtEnd, goToEnd } = useFollowEnd(box, state, !hasHeading);
  const label = title === undefined ? 'Conversation' : `Conversation: ${title}`;
  const unfinished = unfinishedAnswer(state);
  const goOn = unfinished?.canGoOn ? () => onSay('Go on') : undefined;
  const { pending, failed, restarted, expiredTo, closed, conversation } = state;

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keys that scroll
    <main id="main" className="conversation" tabIndex={0} ref={box} aria-label={label}>
      {hasHeading && <h1 className="visually-hidden">{label}</h1>}
      {children}
      <ol className="entries">
        {restarted && (
          <li className="notice">The server began this conversation afresh. What is shown replaces what was here.</li>
        )}
        {expiredTo > 0 && conversation.messages.length > 0 && (
          <li className="notice">The beginning of this conversation has expired: words are kept for 30 days.</li>
        )}
        {timelineOf(state).map((item) => {
          if (item.kind === 'gap') return <GapNotice key={item.key} first={item.first} last={item.position} />;
          if (item.kind === 'call') return <CallRow key={item.key} call={item.call} position={item.position} />;
          return (
            <MessageRow
              key={item.key}
              message={item.message}
              isOwn={store.own.has(item.message.session)}
              seams={state.seams.get(item.message.id)}
              failed={item.fault !== undefined}
              onGoOn={item.key === unfinished?.message ? goOn : undefined}
              growingAt={item.message.status === 'open' ? conversation.position : undefined}
            />
          );
        })}
        {unfinished && unfinished.message === undefined && <UnbegunNotice onGoOn={goOn} />}
        {pending.map((message) => (
          <PendingRow key={message.id} message={message} />
        ))}
        {failed.map((message) => (
          <FailedRow key={message.id} message={message} />
        ))}
        {closed !== undefined && !conversation.ended && <ClosedNotice code={closed} />}
        {conversation.ended && (
          <li className="notice">
            This conversation has ended. <NewLink>Begin a new one</NewLink>
          </li>
        )}
      </ol>
      {!isAtEnd && hasHeading && (
        <button type="button" className="to-end" onClick={goToEnd} aria-label="Go to the newest message">
          <DownIcon />
        </button>
      )}
    </main>
  );
}

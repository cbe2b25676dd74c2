// The list of one's conversations: links, newest first, under days. More of them come as one scrolls, or by a button.

import type { TransactionSummary } from '@haip/client-core';
import { memo, type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import { useChatStore, useChatValue, useConversations } from '../chat/use-chat.ts';
import { PlusIcon } from '../parts/icons.tsx';
import { fragmentFor } from '../share-link.ts';
import { groupsOf, isExpired, momentOf } from './groups.ts';
import { NewLink } from './new-link.tsx';

const toolNames = new Map([
  ['assistant', 'Assistant'],
  ['echo', 'Echo'],
]);

interface RowProps {
  readonly item: TransactionSummary;
  readonly moment: string;
  readonly hasExpired: boolean;
  readonly isCurrent: boolean;
  readonly isAnswering: boolean;
}

const Row = memo(function Row({ item, moment, hasExpired, isCurrent, isAnswering }: RowProps) {
  const { transaction, toolName, title, createdAt, endedAt } = item;
  return (
    <li>
      <a className="talk" href={fragmentFor(transaction)} aria-current={isCurrent ? 'page' : undefined} title={title}>
        <span className="talk-title" data-empty={title === undefined} dir="auto">
          {title ?? (hasExpired ? 'Expired' : 'Nothing said yet')}
        </span>
        <span className="talk-facts">
          {toolNames.get(toolName) ?? toolName} · <time dateTime={new Date(createdAt).toISOString()}>{moment}</time>
          {endedAt !== undefined && ' · ended'}
          {isAnswering && (
            <span className="talk-answering">
              <span className="visually-hidden">, answering</span>
            </span>
          )}
        </span>
      </a>
    </li>
  );
});

/** Calls `reach` when the button is about to come into view, and again after each rendering while it is there. */
function useReached(button: RefObject<HTMLElement | null>, reach: (() => void) | undefined): void {
  useEffect(() => {
    if (!button.current || !reach) return;
    const observer = new IntersectionObserver(([seen]) => seen?.isIntersecting && reach(), { rootMargin: '240px' });
    observer.observe(button.current);
    return () => observer.disconnect();
  });
}

function MoreButton() {
  const { isReadingMore: isBusy, isRefused } = useConversations();
  const { readMore } = useChatStore().list;
  const button = useRef<HTMLButtonElement>(null);
  useReached(button, isRefused ? undefined : readMore);
  return (
    <button ref={button} type="button" className="more-button" aria-disabled={isBusy} onClick={readMore}>
      {isBusy ? 'Reading older ones…' : 'Older conversations'}
    </button>
  );
}

/** Whoever pressed the button goes on with the first of what it brought: the button moves away, or goes. */
function useFocusOnNews(list: RefObject<HTMLElement | null>, count: number): void {
  const before = useRef(count);
  const hadFocus = useRef(false);
  useLayoutEffect(() => {
    const links = list.current?.querySelectorAll<HTMLElement>('a.talk') ?? [];
    if (hadFocus.current && count > before.current) links[before.current]?.focus({ preventScroll: true });
    before.current = count;
  }, [list, count]);
  useEffect(() => {
    const note = () => {
      hadFocus.current = document.activeElement?.classList.contains('more-button') ?? false;
    };
    document.addEventListener('focusin', note);
    return () => document.removeEventListener('focusin', note);
  }, []);
}

function EmptyNote() {
  const { isKnown, isRefused } = useConversations();
  const { list } = useChatStore();
  if (isKnown) return <p className="nav-note">What you begin is listed here.</p>;
  if (!isRefused) return <p className="nav-note" aria-busy="true" />;
  return (
    <p className="nav-note">
      The list could not be read.{' '}
      <button type="button" className="text-button" onClick={list.refresh}>
        Try again
      </button>
    </p>
  );
}

export function ConversationNav() {
  const answering = useChatValue((state) => state.answering);
  const phase = useChatValue((state) => state.phase);
  const { items, hasMore, isReadingMore } = useConversations();
  const box = useRef<HTMLDivElement>(null);
  useFocusOnNews(box, items.length);
  const current = phase.name === 'open' ? phase.transaction : undefined;
  const now = new Date();
  return (
    <nav className="conversations" aria-label="Conversations">
      <NewLink className="new-talk" isCurrent={phase.name === 'choosing'}>
        <PlusIcon />
        New conversation
      </NewLink>
      <div className="talks" ref={box}>
        {groupsOf(items, now).map(({ name, items: group }) => (
          <section key={name} aria-label={name}>
            <h2>{name}</h2>
            <ul>
              {group.map((item) => (
                <Row
                  key={item.transaction}
                  item={item}
                  moment={momentOf(item.createdAt, now)}
                  hasExpired={isExpired(item, now)}
                  isCurrent={item.transaction === current}
                  isAnswering={answering.has(item.transaction)}
                />
              ))}
            </ul>
          </section>
        ))}
        {items.length === 0 && <EmptyNote />}
        {hasMore && <MoreButton />}
      </div>
      <p className="nav-foot">This list goes by a random key in this browser. There is no account.</p>
      <p className="visually-hidden" role="status">
        {isReadingMore ? 'Reading older conversations.' : ''}
      </p>
    </nav>
  );
}

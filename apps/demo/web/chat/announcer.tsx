// Tells screen readers what changed, once and when it is whole: never a stream of tokens.

import type { ConversationMessage } from '@haip/protocol';
import { useEffect, useRef, useState } from 'react';
import { questionOf } from './call-row.tsx';
import type { ChatState } from './chat-state.ts';
import { transportLabel } from './transport-switch.tsx';
import { useChat, useChatStore } from './use-chat.ts';

const longestAnnouncement = 1500;

function linkWords({ link, transport }: ChatState): string {
  if (link.name === 'connected') return `Connected over ${transportLabel(transport)}.`;
  if (link.name === 'connecting') return '';
  return link.name === 'waiting' ? 'The connection is lost. Reconnecting.' : 'Offline.';
}

const speaker = ({ channel, author }: ConversationMessage): string =>
  channel === 'AGENT' ? (author ?? 'Echo') : 'Guest';

/**
 * What is new in `state` for somebody who has heard of the messages in `told`. Marks what it tells. What was there when
 * the page opened, in however many reads it comes, is read by going through it, not shouted.
 */
function newsIn(
  { conversation }: ChatState,
  told: Map<string, string>,
  openedAt: number,
  isOwn: (session: string) => boolean,
): string[] {
  const news: string[] = [];
  for (const message of conversation.messages) {
    const { id, session, status, text, ts } = message;
    const stage = status === 'open' ? 'open' : 'whole';
    if (ts < openedAt || isOwn(session) || told.get(id) === stage) continue;
    told.set(id, stage);
    news.push(
      stage === 'open'
        ? `${speaker(message)} is writing.`
        : `${speaker(message)}: ${text.slice(0, longestAnnouncement)}${status === 'cancelled' ? ' Stopped.' : ''}`,
    );
  }
  for (const call of conversation.calls) {
    const question = questionOf(call);
    if (question === undefined || told.has(call.id)) continue;
    told.set(call.id, 'asked');
    news.push(`A question: ${question} Allow or deny.`);
  }
  return news;
}

export function Announcer() {
  const state = useChat();
  const store = useChatStore();
  const told = useRef(new Map<string, string>());
  const openedAt = useRef(Date.now());
  const [news, setNews] = useState('');

  useEffect(() => {
    const fresh = newsIn(state, told.current, openedAt.current, (session) => store.own.has(session));
    if (fresh.length > 0) setNews(fresh.join(' '));
  }, [state, store]);

  return (
    <>
      <div className="visually-hidden" role="status" aria-live="polite" data-testid="announcer">
        {news}
      </div>
      <div className="visually-hidden" role="status" aria-live="polite">
        {linkWords(state)}
      </div>
    </>
  );
}

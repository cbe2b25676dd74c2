import { useEffect, useRef } from 'react';
import { Composer } from './composer.tsx';
import { CutBar } from './cut-bar.tsx';
import { EmptyState } from './empty-state.tsx';
import { MessageList } from './message-list.tsx';
import { TransportSwitch } from './transport-switch.tsx';
import { useChat, useChatStore } from './use-chat.ts';
import { WirePanel } from './wire-panel.tsx';

/** A keyboard that is drawn on the screen would cover half of what was just opened. */
const hasKeyboard = (): boolean => !matchMedia('(pointer: coarse)').matches;

interface ChatViewProps {
  /** What the conversation is called, where that is known. */
  readonly title: string | undefined;
  /** There were words once. */
  readonly hasExpired: boolean;
}

/** An open conversation. */
export function ChatView({ title, hasExpired }: ChatViewProps) {
  const { conversation, pending, failed, expiredTo } = useChat();
  const store = useChatStore();
  const field = useRef<HTMLTextAreaElement>(null);
  const lines = conversation.messages.length + conversation.gaps.length + pending.length + failed.length;
  // One that has a title has lines, and they are about to come.
  const isEmpty = lines === 0 && title === undefined;
  const isGone = isEmpty && (hasExpired || expiredTo > 0);
  const invites = isEmpty && !isGone;

  useEffect(() => {
    if (hasKeyboard()) field.current?.focus();
    else document.querySelector<HTMLElement>('#main')?.focus();
  }, []);

  const say = (text: string) => {
    void store.send(text);
    field.current?.focus();
  };
  return (
    <div className="chat">
      <MessageList title={title} hasHeading={!invites} onSay={say}>
        {invites && <EmptyState onChoose={say} />}
        {isGone && <p className="notice">What was said here has expired: words are kept for 30 days.</p>}
      </MessageList>
      <WirePanel />
      <div className="desk">
        <div className="wire-controls">
          <CutBar />
          <TransportSwitch />
        </div>
        <Composer field={field} onSend={say} />
      </div>
    </div>
  );
}

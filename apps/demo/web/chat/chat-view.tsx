import { useEffect, useRef } from 'react';
import { Composer } from './composer.tsx';
import { CutBar } from './cut-bar.tsx';
import { EmptyState } from './empty-state.tsx';
import { MessageList } from './message-list.tsx';
import { TransportSwitch } from './transport-switch.tsx';
import { useChat, useChatStore } from './use-chat.ts';
import { WirePanel } from './wire-panel.tsx';

/** An open conversation. */
export function ChatView() {
  const { conversation, pending, failed } = useChat();
  const store = useChatStore();
  const field = useRef<HTMLTextAreaElement>(null);
  const isEmpty = conversation.messages.length + conversation.gaps.length + pending.length + failed.length === 0;

  useEffect(() => field.current?.focus(), []);

  const say = (text: string) => {
    void store.send(text);
    field.current?.focus();
  };
  return (
    <div className="chat">
      <MessageList>{isEmpty && <EmptyState onChoose={say} />}</MessageList>
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

// Where people write, and stop the agent. Enter sends, Shift+Enter begins a new line; an Enter that ends a composition
// does neither. Escape stops, wherever the focus is.

import { type KeyboardEvent, type RefObject, useEffect, useState } from 'react';
import { SendIcon, StopIcon } from '../parts/icons.tsx';
import { isAnswering } from './chat-state.ts';
import { RecordButton } from './record-button.tsx';
import { useChat, useChatStore } from './use-chat.ts';

interface ComposerProps {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly onSend: (text: string) => void;
}

/** Calls `stop` at each Escape that is not meant for a dialog or a composition, while `isOn`. */
function useEscape(isOn: boolean, stop: () => void): void {
  useEffect(() => {
    if (!isOn) return;
    const onKeyDown = ({ key, isComposing, target }: globalThis.KeyboardEvent) => {
      const isOurs = !isComposing && !(target instanceof Element && target.closest('dialog'));
      if (key === 'Escape' && isOurs) stop();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [isOn, stop]);
}

function placeholderFor(tool: string | undefined, hasEnded: boolean): string {
  if (hasEnded) return 'This conversation has ended';
  return tool === 'echo' ? 'Write something to the echo' : 'Write a message';
}

interface ActionButtonProps {
  readonly stops: boolean;
  readonly isBusy: boolean;
  readonly onStop: () => void;
}

/** Stop or Send, in one place. Never disabled, only said to be: it would drop the focus of whoever has just stopped. */
function ActionButton({ stops, isBusy, onStop }: ActionButtonProps) {
  return (
    <button
      type={stops ? 'button' : 'submit'}
      className={stops ? 'stop-button' : 'send-button'}
      aria-label={stops ? 'Stop' : 'Send'}
      aria-keyshortcuts={stops ? 'Escape' : undefined}
      aria-disabled={isBusy}
      title={stops ? 'Stop the answer (Esc)' : undefined}
      onClick={stops ? onStop : undefined}
    >
      {stops ? <StopIcon /> : <SendIcon />}
    </button>
  );
}

/** What is written here stays with its conversation while another one is shown. */
function useDraft(): [string, (text: string) => void] {
  const { talk } = useChatStore();
  const [text, setText] = useState(talk?.draft ?? '');
  const write = (draft: string) => {
    if (talk) talk.draft = draft;
    setText(draft);
  };
  return [text, write];
}

export function Composer({ field, onSend }: ComposerProps) {
  const state = useChat();
  const store = useChatStore();
  const [text, setText] = useDraft();
  const { conversation, tool, closed, isStopping } = state;
  const isOver = conversation.ended || closed !== undefined;
  const isEmpty = text.trim() === '';
  const canStop = isAnswering(state) && !isOver;
  useEscape(canStop, store.stop);

  const send = () => {
    if (isEmpty || isOver) return;
    setText('');
    onSend(text);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={field}
        rows={1}
        value={text}
        aria-label="Message"
        aria-keyshortcuts="Enter"
        placeholder={placeholderFor(tool, conversation.ended)}
        disabled={isOver}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {tool === 'echo' && <RecordButton disabled={isOver} />}
      {canStop && !isEmpty && <ActionButton stops isBusy={isStopping} onStop={store.stop} />}
      <ActionButton
        key="main"
        stops={canStop && isEmpty}
        isBusy={canStop && isEmpty ? isStopping : isEmpty}
        onStop={store.stop}
      />
    </form>
  );
}

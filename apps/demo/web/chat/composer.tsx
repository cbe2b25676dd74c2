// Where people write. Enter sends, Shift+Enter begins a new line; an Enter that ends a composition does neither.

import { type KeyboardEvent, type RefObject, useState } from 'react';
import { SendIcon } from '../parts/icons.tsx';
import { RecordButton } from './record-button.tsx';
import { useChat } from './use-chat.ts';

interface ComposerProps {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly onSend: (text: string) => void;
}

export function Composer({ field, onSend }: ComposerProps) {
  const { conversation, tool, closed } = useChat();
  const [text, setText] = useState('');
  const isOver = conversation.ended || closed !== undefined;

  const send = () => {
    if (text.trim() === '' || isOver) return;
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
        maxLength={20_000}
        aria-label="Message"
        aria-keyshortcuts="Enter"
        placeholder={tool === 'echo' ? 'Write something to the echo' : 'Write a message'}
        disabled={isOver}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {tool === 'echo' && <RecordButton disabled={isOver} />}
      <button type="submit" className="send-button" aria-label="Send" disabled={text.trim() === ''}>
        <SendIcon />
      </button>
    </form>
  );
}

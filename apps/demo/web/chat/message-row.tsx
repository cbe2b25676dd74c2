// One message: its place in the log, who wrote it, and what it says.

import type { ConversationMessage } from '@haip/protocol';
import { memo } from 'react';
import { StopIcon } from '../parts/icons.tsx';
import { AudioPlayer } from './audio-player.tsx';
import { FormattedText } from './formatted-text.tsx';

interface MessageRowProps {
  readonly message: ConversationMessage;
  readonly isOwn: boolean;
  readonly seams: readonly number[] | undefined;
  /** The run of this message failed. */
  readonly failed: boolean;
  /** The log's position now, while this message is still growing. */
  readonly growingAt: number | undefined;
  /** Asks for the rest of an answer that was cut off; absent where that makes no sense. */
  readonly onGoOn: (() => void) | undefined;
}

function authorOf({ channel, author }: ConversationMessage, isOwn: boolean): string {
  if (channel === 'AGENT') return author ?? 'Echo';
  return isOwn ? 'You' : 'Guest';
}

/** What a payload that is no text looks like: as JSON. */
function textOf({ text, payload }: ConversationMessage): string {
  if (text !== '' || payload === undefined || typeof payload === 'string') return text;
  return JSON.stringify(payload, null, 2);
}

function MessageBody({ message, seams }: Pick<MessageRowProps, 'message' | 'seams'>) {
  if (message.deleted) return <p className="message-note">This message was taken back.</p>;
  if (message.audio) return <AudioPlayer {...message.audio} />;
  const text = textOf(message);
  if (message.channel !== 'AGENT' || message.author === undefined) return <p className="plain-text">{text}</p>;
  return <FormattedText text={text} seams={seams} />;
}

interface UnfinishedProps {
  readonly words: string;
  readonly onGoOn: MessageRowProps['onGoOn'];
}

function Unfinished({ words, onGoOn }: UnfinishedProps) {
  return (
    <p className="message-fault">
      {words}{' '}
      {onGoOn && (
        <button type="button" className="text-button" onClick={onGoOn}>
          Go on
        </button>
      )}
    </p>
  );
}

/** What is said of an answer that was cut off before anything of it came. */
export const unbegun = 'The server went away before the first word.';

/** Why an answer has no end, in words; undefined for one that has, or that was stopped by somebody. */
function faultOf({ status, text }: ConversationMessage, runFailed: boolean): string | undefined {
  if (runFailed) return 'The answer could not be finished. What was said is kept.';
  if (status === 'interrupted') return text === '' ? unbegun : 'The server went away before this was all.';
  return ['open', 'complete', 'cancelled'].includes(status) ? undefined : `The answer ended here (${status}).`;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, isOwn, seams, failed, growingAt, onGoOn } = props;
  const author = authorOf(message, isOwn);
  const isOpen = message.status === 'open';
  const wasStopped = message.status === 'cancelled';
  const fault = faultOf(message, failed);
  const manner = isOpen ? ', still writing' : wasStopped ? ', stopped' : '';
  return (
    <li className="entry" data-from={message.channel === 'AGENT' ? 'agent' : isOwn ? 'me' : 'guest'} data-open={isOpen}>
      <div className="rail" title={`Position ${message.position} in the log`}>
        <span className="visually-hidden">Position </span>
        {message.position}
        {growingAt !== undefined && growingAt > message.position && (
          <span className="rail-now" aria-hidden="true">
            {growingAt}
          </span>
        )}
      </div>
      <article className="message" aria-label={`${author}${manner}`}>
        <div className="message-author">
          {author}
          {message.edited && <span className="message-note"> edited</span>}
        </div>
        <div className="message-text" data-testid="message-text">
          <MessageBody message={message} seams={seams} />
        </div>
        {wasStopped && (
          <p className="message-stopped">
            <StopIcon />
            {message.text === '' ? 'Stopped before the first word.' : 'Stopped here.'}
          </p>
        )}
        {fault !== undefined && <Unfinished words={fault} onGoOn={onGoOn} />}
      </article>
    </li>
  );
});

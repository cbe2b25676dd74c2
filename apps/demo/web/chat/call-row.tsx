// One call that the agent makes: what it is, how far, and the question that it asks people first.

import type { ConversationCall, JsonValue } from '@haip/protocol';
import type { MouseEvent } from 'react';
import { useChat, useChatStore } from './use-chat.ts';

const words = new Map([
  ['QUEUED', 'about to begin'],
  ['RUNNING', 'at work'],
  ['WAITING', 'waits for your word'],
  ['APPROVED', 'allowed'],
  ['OK', 'done'],
  ['DENIED', 'denied'],
  ['CANCELLED', 'stopped'],
  ['INTERRUPTED', 'interrupted'],
  ['ERROR', 'failed'],
]);

const textOf = (value: JsonValue): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

/** What a call asks, while it waits for the answer. */
export function questionOf({ status, ask }: ConversationCall): string | undefined {
  return status === 'WAITING' && ask !== undefined ? textOf(ask) : undefined;
}

function Answers({ call }: { readonly call: ConversationCall }) {
  const given = useChat().answered.get(call.id);
  const store = useChatStore();
  const answer = (isApproved: boolean) => (event: MouseEvent<HTMLElement>) => {
    // The buttons go; who pressed one stays here.
    event.currentTarget.closest('article')?.focus();
    void store.answer(call.id, isApproved);
  };
  const isGiven = given !== undefined;
  return (
    <div className="call-answers">
      <button type="button" className="primary-button" aria-disabled={isGiven} onClick={answer(true)}>
        {given === true ? 'Allowing…' : 'Allow'}
      </button>
      <button type="button" className="quiet-button" aria-disabled={isGiven} onClick={answer(false)}>
        {given === false ? 'Denying…' : 'Deny'}
      </button>
    </div>
  );
}

interface CallRowProps {
  readonly call: ConversationCall;
  readonly position: number;
}

export function CallRow({ call, position }: CallRowProps) {
  const { status, tool, ask, progress, result } = call;
  const word = words.get(status) ?? status;
  return (
    <li className="entry" data-from="call">
      <div className="rail" title={`Position ${position} in the log`}>
        <span className="visually-hidden">Position </span>
        {position}
      </div>
      <article className="message" tabIndex={-1} aria-label={`Action ${tool}, ${word}`}>
        <div className="call" data-status={status}>
          <p className="call-title">
            <span>{tool}</span>
            <span className="message-note">{word}</span>
          </p>
          {ask !== undefined && <p className="plain-text">{textOf(ask)}</p>}
          {questionOf(call) !== undefined && <Answers call={call} />}
          {status === 'RUNNING' && <progress value={progress} aria-label={tool} />}
          {result !== undefined && <p className="plain-text">{textOf(result)}</p>}
        </div>
      </article>
    </li>
  );
}

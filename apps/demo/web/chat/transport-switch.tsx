// Shows what carries the conversation, and moves it: at any time, also in the middle of an answer.

import { useChat, useChatStore } from './use-chat.ts';

const labels = new Map([
  ['websocket', 'WebSocket'],
  ['sse', 'SSE'],
  ['http', 'HTTP'],
]);

const hints = new Map([
  ['websocket', 'One socket, both ways'],
  ['sse', 'Server-Sent Events down, POSTs up'],
  ['http', 'A streamed answer down, POSTs up'],
]);

export const transportLabel = (name: string | undefined): string => labels.get(name ?? '') ?? name ?? 'nothing yet';

export function TransportSwitch() {
  const { link, transport, movingTo, notMovedTo } = useChat();
  const store = useChatStore();
  return (
    <>
      <fieldset className="transport-switch" aria-busy={movingTo !== undefined} disabled={link.name === 'disconnected'}>
        <legend className="visually-hidden">Transport</legend>
        {store.transports.map((name) => (
          <label key={name} className="transport" data-moving={name === movingTo} title={hints.get(name)}>
            <input
              type="radio"
              name="transport"
              checked={name === (movingTo ?? transport)}
              onChange={() => void store.moveTo(name)}
            />
            {transportLabel(name)}
          </label>
        ))}
      </fieldset>
      <p className="transport-note" role="status">
        {notMovedTo && `${transportLabel(notMovedTo)} did not open. Nothing was moved, and nothing is lost.`}
      </p>
    </>
  );
}

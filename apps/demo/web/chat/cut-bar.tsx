// The reason this page exists: loses the connection on purpose.

import { CutIcon, OfflineIcon } from '../parts/icons.tsx';
import { useChat, useChatStore } from './use-chat.ts';

const offlineMs = 5000;

export function CutBar() {
  const { link } = useChat();
  const store = useChatStore();
  const isConnected = link.name === 'connected';
  return (
    <fieldset className="cut-bar">
      <legend className="visually-hidden">Lose the connection on purpose</legend>
      <button
        type="button"
        className="cut-button"
        aria-disabled={!isConnected}
        onClick={() => isConnected && store.cut()}
      >
        <CutIcon />
        <span>
          Cut<span className="cut-what"> the connection</span>
        </span>
      </button>
      <button
        type="button"
        className="quiet-button"
        aria-disabled={!isConnected}
        onClick={() => isConnected && store.cut(offlineMs)}
      >
        <OfflineIcon />
        <span className="wide-only">Offline for 5 s</span>
        <span className="narrow-only">5 s offline</span>
      </button>
    </fieldset>
  );
}

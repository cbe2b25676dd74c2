// Starts the page: a client over three transports and a network that can be cut, and React on it.

import { HAIPClient, sessionStorageOutbox } from '@haip/client-core';
import { httpStream } from '@haip/transport-http/client';
import { serverSentEvents } from '@haip/transport-sse/client';
import { webSocket } from '@haip/transport-ws/client';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { ChatStore } from './chat/chat-store.ts';
import { ChatContext } from './chat/use-chat.ts';
import { cuttableNetwork } from './connection/cuttable-network.ts';
import { userSecret } from './connection/user-secret.ts';
import { transactionInLink } from './share-link.ts';
import './style/tokens.css';
import './style/page.css';
import './style/pill.css';
import './style/conversations.css';
import './style/start.css';
import './style/chat.css';
import './style/calls.css';
import './style/desk.css';
import './style/wire.css';

const socketUrl = new URL('/haip/websocket', location.href);
socketUrl.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
const network = cuttableNetwork([
  webSocket({ url: socketUrl.href }),
  serverSentEvents({ url: new URL('/haip/sse', location.href) }),
  httpStream({ url: new URL('/haip/stream', location.href) }),
]);

// Short waits, so that somebody who cuts the connection to see it return need not wait long.
const client = new HAIPClient({
  transports: network.transports,
  reconnect: { maxDelayMs: 4000 },
  outbox: sessionStorageOutbox(),
});
const secret = userSecret();
client.authenticate(() => ({ token: secret }));

const store = new ChatStore(client, network);

/** Shows what the address names. */
function follow(): void {
  const transaction = transactionInLink(location.hash);
  const { phase } = store.getState();
  if (transaction === undefined) store.choose();
  else if (phase.name === 'open' && phase.transaction === transaction) return;
  // A connection reads so many conversations at once; that of a fresh page begins with none.
  else if (store.isFull) location.reload();
  else void store.open(transaction);
}

store.connect();
follow();
addEventListener('hashchange', follow);
addEventListener('visibilitychange', () => document.visibilityState === 'visible' && store.list.refresh());

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ChatContext value={store}>
        <App />
      </ChatContext>
    </StrictMode>,
  );
}

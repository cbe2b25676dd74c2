// Starts the page: a client over a WebSocket that can be cut, and React on it.

import { HAIPClient, sessionStorageOutbox } from '@haip/client-core';
import { webSocket } from '@haip/transport-ws/client';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { ChatStore } from './chat/chat-store.ts';
import { ChatContext } from './chat/use-chat.ts';
import { cuttable } from './connection/cuttable-transport.ts';
import { userSecret } from './connection/user-secret.ts';
import { transactionInLink } from './share-link.ts';
import './style/tokens.css';
import './style/page.css';
import './style/start.css';
import './style/chat.css';
import './style/desk.css';
import './style/wire.css';

const url = new URL('/haip/websocket', location.href);
url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
const transport = cuttable(webSocket({ url: url.href }));

// Short waits, so that somebody who cuts the connection to see it return need not wait long.
const client = new HAIPClient({
  transports: [transport],
  reconnect: { maxDelayMs: 4000 },
  outbox: sessionStorageOutbox(),
});
const secret = userSecret();
client.authenticate(() => ({ token: secret }));

const store = new ChatStore(client, transport);
const invited = transactionInLink(location.hash);
store.connect();
if (invited) void store.join(invited);

addEventListener('hashchange', () => {
  const { phase } = store.getState();
  const present = phase.name === 'open' ? phase.transaction : undefined;
  if (transactionInLink(location.hash) !== present) location.reload();
});

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

// Says one thing to the echo tool of a server and gives what comes back.

import { HAIPClient } from '@haip/client-core';
import type { Transport } from '@haip/protocol';

export async function chat(transport: Transport, text: string): Promise<string> {
  const client = new HAIPClient({ transports: [transport] });
  client.authenticate(() => ({ token: 'Bearer TOKEN' }));
  await client.connect();
  try {
    const echo = await client.startTransaction('echo');
    await echo.sendText(text);
    for await (const message of echo.messages()) return message.text;
    throw new Error('the conversation ended without an answer');
  } finally {
    client.disconnect();
  }
}

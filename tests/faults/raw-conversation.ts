// A client of the platform's own WebSocket, which sends whatever it is given: text of any length, bytes out of place.

import { once } from 'node:events';
import { encode, type JsonValue } from '@haip/protocol';

type Said = Readonly<Record<string, unknown>>;

export interface RawConversation {
  readonly socket: WebSocket;
  /** With the tool that says nothing. */
  readonly transaction: string;
  /** The first envelope of that type, among those that came and those that come, that answers this id, or none. Rejects once
   * the connection is over. */
  seen(type: string, relatedId?: string): Promise<Said>;
  /** A MESSAGE that is so many bytes on the wire, most of its characters two bytes each. */
  textOf(bytes: number, id: string, transaction: string): string;
  /** Sends a PING: the close code, or what a server says to it that goes on. */
  closeOrAnswer(): Promise<number | Said>;
}

export async function openConversation(port: number): Promise<RawConversation> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/haip/websocket`);
  const received: Said[] = [];
  const mailbox = new EventTarget();
  socket.addEventListener('message', ({ data }) => {
    received.push(JSON.parse(String(data)));
    mailbox.dispatchEvent(new Event('mail'));
  });
  socket.addEventListener('close', () => mailbox.dispatchEvent(new Event('mail')));
  const closed = once(socket, 'close').then(([{ code }]) => code as number);
  let seq = 0;

  function write(id: string, type: string, payload: JsonValue, transaction: string | null = null): string {
    return encode({ id, transaction, session: '', seq: String(seq), ts: '0', channel: 'USER', type, payload });
  }

  function say(id: string, type: string, payload: JsonValue, transaction?: string): void {
    seq++;
    socket.send(write(id, type, payload, transaction));
  }

  async function seen(type: string, relatedId?: string): Promise<Said> {
    for (;;) {
      const found = received.find((each) => each['type'] === type && each['related_id'] === relatedId);
      if (found) return found;
      if (socket.readyState === WebSocket.CLOSED) throw new Error(`${type} never came before the close`);
      await once(mailbox, 'mail');
    }
  }

  await once(socket, 'open');
  say('hai', 'HAI', { accept_major: [1], capabilities: { transaction_log: true }, auth: { user: 'raw' } });
  await seen('HAI', 'hai');
  say('start', 'TRANSACTION_START', { toolName: 'silent' }, 'reference');
  const { transaction } = await seen('TRANSACTION_START', 'start');

  return {
    socket,
    transaction: String(transaction),
    seen,
    textOf(bytes, id, inTransaction) {
      seq++;
      const room = bytes - Buffer.byteLength(write(id, 'MESSAGE', '', inTransaction));
      return write(id, 'MESSAGE', 'é'.repeat(room >> 1) + 'x'.repeat(room & 1), inTransaction);
    },
    closeOrAnswer() {
      say('ping', 'PING', {});
      return Promise.any([closed, seen('PONG', 'ping'), seen('ERROR', 'ping')]);
    },
  };
}

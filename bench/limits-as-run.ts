// What the server under measure says of its limits: read from its own HAI, so that no table tells of others than it ran with.

import { once } from 'node:events';
import { encode } from '@haip/protocol';

/** The limits and windows of the server at that port, in a line. */
export async function limitsAsRun(port: number): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, 'open');
  const capabilities = { transaction_log: true, flow_control: true };
  const payload = { haip_version: '1.1.2', accept_major: [1], capabilities, auth: { token: 'Bearer TOKEN' } };
  const head = { id: 'limits', transaction: null, session: '', seq: '1', ts: '0', channel: 'SYSTEM' };
  socket.send(encode({ ...head, type: 'HAI', payload }));
  const [{ data }] = (await once(socket, 'message')) as [MessageEvent<string>];
  socket.close();
  const { limits, capabilities: given, retry_within_ms } = JSON.parse(data).payload;
  const all = { ...limits, ...given.flow_control, retry_within_ms };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${Number(value).toLocaleString('en')}`)
    .join(', ');
}

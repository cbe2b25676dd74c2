// `pnpm bench:costs`: what one message costs on each transport, alone: bytes on the wire, the server's system calls (by
// strace, where it is installed), and how long a new client waits for its first token. Prints one table.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HAIPClient } from '@haip/client-core';
import type { Transport } from '@haip/protocol';
import { faultProxy } from '@haip/testing/fault-proxy';
import { httpStream } from '@haip/transport-http/client';
import { serverSentEvents } from '@haip/transport-sse/client';
import { webSocket } from '@haip/transport-ws/client';
import { type Contender, Contenders, readCost } from './contenders.ts';
import type { Route } from './load/link.ts';

const { values: options } = parseArgs({
  options: { ms: { type: 'string', default: '2000' }, times: { type: 'string', default: '15' } },
});
const measureMs = Number(options.ms);
const hasStrace = spawnSync('strace', ['-V']).status === 0;
const ONE_WAY_MS = 25;

const dial: Readonly<Record<Route['transport'], (port: number) => Transport>> = {
  websocket: (port) => webSocket({ url: `ws://127.0.0.1:${port}/` }),
  sse: (port) => serverSentEvents({ url: `http://127.0.0.1:${port}/haip/sse` }),
  http: (port) => httpStream({ url: `http://127.0.0.1:${port}/haip/stream` }),
};

const contenders = new Contenders();
const server = await contenders.start('haip');

async function bytesOf(scenario: string, transport: Route['transport']): Promise<{ up: number; down: number }> {
  const route = { transport, port: server.port, pipelined: false };
  const { result } = await contenders.run(server, { scenario, route, measureMs, most: 1 });
  return { up: Math.round(result.sent / result.units), down: Math.round(result.received / result.units) };
}

/** The system calls between the server's two looks that move bytes, for each message. */
async function callsOf(transport: Route['transport']): Promise<string> {
  if (!hasStrace) return '';
  const folder = mkdtempSync(join(tmpdir(), 'haip-costs-'));
  const file = join(folder, 'calls');
  const args = ['-c', '-f', '-e', 'trace=read,readv,write,writev,recvmsg,sendmsg', '-o', file];
  let stop: (() => Promise<unknown>) | undefined;
  const look = async (contender: Contender) => {
    if (stop) await stop();
    else {
      const strace = spawn('strace', [...args, '-p', String(contender.process.pid)], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      // Where it may not look into other processes it is gone at once.
      const gone = once(strace, 'exit');
      stop = () => {
        strace.kill('SIGINT');
        return gone;
      };
      await once(strace.stderr, 'data');
    }
    return readCost(contender);
  };
  const route = { transport, port: server.port, pipelined: false };
  const { result } = await contenders.run(server, { scenario: 'echo-1', route, measureMs, most: 1 }, look);
  // Columns: share, seconds, µs for each, calls, perhaps errors, name.
  const [total] = readFileSync(file, 'utf8').match(/^.*total$/m) ?? [];
  const calls = total?.trim().split(/\s+/)[3];
  rmSync(folder, { recursive: true });
  return calls === undefined ? '' : (Number(calls) / result.units).toFixed(1);
}

/** From `connect()` to the first text of the answer, in ms: the median of fresh clients. */
async function firstTokenMs(transport: Transport): Promise<string> {
  const waits: number[] = [];
  for (let time = 0; time < Number(options.times); time++) {
    const client = new HAIPClient({ transports: [transport] });
    client.authenticate(() => ({ token: 'Bearer TOKEN' }));
    const began = performance.now();
    await client.connect();
    const chat = await client.startTransaction('tokens');
    const first = new Promise<void>((resolve) => {
      chat.on('entry', ({ type }) => type === 'MESSAGE_PART' && resolve());
    });
    const sent = chat.send('3');
    await first;
    waits.push(performance.now() - began);
    await sent;
    client.disconnect();
  }
  return (waits.sort((a, b) => a - b)[waits.length >> 1] as number).toFixed(1);
}

const far = await faultProxy({
  target: server.port,
  faults: { up: { latencyMs: ONE_WAY_MS }, down: { latencyMs: ONE_WAY_MS } },
});
const rows = [];
for (const transport of ['websocket', 'http', 'sse'] as const) {
  const echo = await bytesOf('echo-1', transport);
  rows.push({
    transport,
    'bytes up': echo.up,
    'bytes down': echo.down,
    'system calls': await callsOf(transport),
    'bytes a token': (await bytesOf('tokens', transport)).down,
    'of 20 at once': (await bytesOf('bursts', transport)).down,
    'first token, ms': await firstTokenMs(dial[transport](server.port)),
    'over 50 ms': await firstTokenMs(dial[transport](far.port)),
  });
}
console.table(rows);
await far.close();
contenders.endAll();

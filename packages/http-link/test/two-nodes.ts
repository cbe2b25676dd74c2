// Two endpoints that share a backplane with a will of its own, on exchanges made by hand.

import { memoryHistory } from '@haip/history-memory';
import type { Backplane, Connection, Frame, Incoming } from '@haip/protocol';
import { vi } from 'vitest';
import { Endpoint, type EndpointOptions } from '../src/endpoint.ts';
import { HandMade, hai, kind } from './hand-made.ts';

/** What becomes of one word: after how long it arrives, once for each number; none: it is lost. */
export type Fate = readonly number[];

export interface WaywardBackplane extends Backplane {
  /** What was told, in order. */
  readonly told: { readonly topic: string; readonly text: string }[];
  /** What becomes of the next words, in order; of all others: they arrive at once. */
  fates: Fate[];
}

/** The backplane of a memory store, on which words are lost, late and doubled as a test wants. */
export function waywardBackplane(): WaywardBackplane {
  const inner = memoryHistory();
  const backplane: WaywardBackplane = {
    told: [],
    fates: [],
    notify(topic, body) {
      backplane.told.push({ topic, text: new TextDecoder().decode(body) });
      const arrivals = backplane.fates.shift() ?? [0];
      for (const ms of arrivals) {
        if (ms === 0) void inner.notify(topic, body);
        else setTimeout(() => void inner.notify(topic, body), ms);
      }
    },
    listen: (topic, heard) => inner.listen(topic, heard),
  };
  return backplane;
}

export const frame: Frame = { text: '{}', shared: false };

export interface TestNode {
  readonly endpoint: Endpoint;
  /** Opens a stream whose HAI is not said yet. */
  open(): Promise<OpenStream>;
  /** A POST that reaches this node. */
  post(address: string, body: string): Promise<HandMade>;
}

interface OpenStream {
  readonly address: string;
  readonly connection: Connection;
  readonly stream: HandMade;
  /** Ids of what arrived so far, in order. */
  readonly arrived: string[];
}

export function testNode(options: EndpointOptions, path = '/haip', ofKind = kind): TestNode {
  const accepted: Connection[] = [];
  const endpoint = new Endpoint(path, ofKind, async (connection) => void accepted.push(connection), options);
  return {
    endpoint,
    async open() {
      const stream = new HandMade('GET', path);
      await endpoint.take(stream);
      const connection = accepted.pop() as Connection;
      const arrived: string[] = [];
      void (async () => {
        for await (const batch of connection) arrived.push(...batch.map(idOf));
      })();
      const [, address = ''] = /open \w+\/(.*)\n/.exec(stream.text) ?? [];
      return { address, connection, stream, arrived };
    },
    async post(address, body) {
      const exchange = new HandMade('POST', `${path}/${address}`, body);
      await endpoint.take(exchange);
      return exchange;
    },
  };
}

const idOf = (incoming: Incoming): string =>
  'envelope' in incoming ? `${incoming.envelope.id} ${incoming.envelope.seq}` : incoming.code;

export function line(number: number): string {
  return hai.replace('"id":"h"', `"id":"m${number}"`).replace('"1"', `"${number}"`).replace('HAI', 'MESSAGE');
}

/** Two nodes, and a stream on the first whose HAI was granted there. */
export async function twoNodes(options: EndpointOptions = {}) {
  const backplane = waywardBackplane();
  const [one, two] = [testNode({ backplane, ...options }), testNode({ backplane, ...options })];
  const stream = await one.open();
  const greeted = one.post(stream.address, hai);
  await vi.advanceTimersByTimeAsync(0);
  void stream.connection.send(frame);
  await vi.advanceTimersByTimeAsync(0);
  await greeted;
  return { backplane, one, two, stream };
}

// What the parts of a store stand on: one connection, the questions over it, the two streams, the time, and names.

import { randomBytes } from 'node:crypto';
import type { StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { Background } from './background.ts';
import type { Connected } from './connection.ts';
import { Exchange } from './exchange.ts';
import { Names } from './names.ts';
import type { ReadOptions } from './options.ts';
import { Presence } from './presence.ts';
import { storeTime } from './store-time.ts';
import { Stream } from './stream.ts';
import { makeStreams } from './streams.ts';

export interface Ground {
  readonly nc: NatsConnection;
  readonly names: Names;
  /** This node, told from all others and from its own earlier lives. */
  readonly node: string;
  readonly exchange: Exchange;
  readonly presence: Presence;
  readonly logs: Stream;
  readonly index: Stream;
  readonly isDurable: boolean;
  readonly background: Background;
  /** Asks for the streams as they are, and makes them where they are not. */
  streams(): Promise<readonly StreamInfo[]>;
  /** A name that nothing has had. */
  nextName(): string;
  /** ms of the store's time. */
  now(): number;
}

/** @throws Error for streams of that name that are not ours. */
export async function openGround(read: ReadOptions, { nc }: Connected): Promise<Ground> {
  const names = new Names(read.name);
  const node = randomBytes(8).toString('base64url');
  const presence = new Presence();
  const exchange = new Exchange(nc, read.timeoutMs, {
    nobody: () => presence.lookNow(),
    late: () => presence.doubt(),
  });
  void nc.closed().then(() => exchange.close('the connection to NATS has ended'));
  const infos = await makeStreams(exchange, names, read);
  const [{ config, state }] = infos;
  const isReplicated = config.num_replicas > 1;
  const logs = new Stream({ name: names.logs, node, exchange, isReplicated });
  const index = new Stream({ name: names.index, node, exchange, isReplicated });
  let count = 0;
  return {
    nc,
    names,
    node,
    exchange,
    presence,
    logs,
    index,
    isDurable: infos.every((info) => info.config.storage === 'file'),
    background: new Background(),
    streams: () => makeStreams(exchange, names, read),
    nextName: () => `${node}.${(count++).toString(36)}`,
    now: await storeTime({ clock: read.clock, names, logs, index, lastSeq: state.last_seq }),
  };
}

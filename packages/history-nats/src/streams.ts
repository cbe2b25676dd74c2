// The two streams: the logs, and what is found by user or reference. Apart from each other, so that a walk through the
// transactions does not walk through what is in them.

import { JetStreamApiCodes, type StreamConfig, type StreamInfo } from '@nats-io/jetstream';
import { type Exchange, JetStreamRefusal } from './exchange.ts';
import type { Names } from './names.ts';

export interface StreamsOptions {
  readonly storage: 'file' | 'memory';
  readonly replicas: number;
}

/**
 * For how long the server knows a message that comes twice. Not long, as it keeps the ids in memory; one that comes later
 * is refused, as it is no longer the next one.
 */
const DUPLICATE_NS = 10_000_000_000;
/**
 * Makes the streams where they are not.
 * @throws Error for one that is there and would lose what is in it, or is another's.
 */
export async function makeStreams(
  exchange: Exchange,
  names: Names,
  options: StreamsOptions,
): Promise<[logs: StreamInfo, index: StreamInfo]> {
  const told = names.every('told').replace('*', '{{wildcard(1)}}');
  const ofIndex = [names.every('reference'), names.every('user'), names.revoked, names.meta, names.clock];
  return [
    await makeStream(exchange, options, {
      name: names.logs,
      subjects: [names.every('log')],
      republish: { src: names.every('log'), dest: told, headers_only: true },
    }),
    await makeStream(exchange, options, { name: names.index, subjects: ofIndex }),
  ];
}

async function makeStream(
  exchange: Exchange,
  { storage, replicas }: StreamsOptions,
  wanted: Pick<StreamConfig, 'name' | 'subjects' | 'republish'>,
): Promise<StreamInfo> {
  try {
    return checked(await exchange.api<StreamInfo>(`STREAM.INFO.${wanted.name}`), wanted.subjects);
  } catch (error) {
    if (!(error instanceof JetStreamRefusal) || error.code !== JetStreamApiCodes.StreamNotFound) throw error;
  }
  return exchange.api<StreamInfo>(`STREAM.CREATE.${wanted.name}`, {
    ...wanted,
    storage,
    num_replicas: replicas,
    retention: 'limits',
    discard: 'new',
    allow_direct: true,
    duplicate_window: DUPLICATE_NS,
  });
}

function checked(info: StreamInfo, subjects: readonly string[]): StreamInfo {
  const { config } = info;
  const expected = { retention: 'limits', discard: 'new', max_msgs: -1, max_msgs_per_subject: -1, max_age: 0 } as const;
  const wrong = Object.entries(expected).find(([name, value]) => config[name as keyof typeof expected] !== value);
  if (wrong !== undefined) {
    const came = config[wrong[0] as keyof typeof expected];
    throw new Error(
      `name: the stream ${config.name} has ${wrong[0]} ${came}; expected ${wrong[1]}, or logs would lose entries`,
    );
  }
  if (JSON.stringify(config.subjects.toSorted()) !== JSON.stringify(subjects.toSorted()) || !config.allow_direct) {
    throw new Error(`name: there is a stream ${config.name} that is not one of HAIP's; choose another name`);
  }
  return info;
}

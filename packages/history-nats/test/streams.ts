import { randomBytes } from 'node:crypto';
import type { HistoryStore } from '@haip/protocol';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll } from 'vitest';
import type { ChainSizes } from '../src/chain.ts';
import { openHistory } from '../src/nats-history.ts';
import type { NatsHistoryOptions } from '../src/options.ts';

/** Where the server is that tests share. */
export const servers = process.env['HAIP_NATS_URL'] ?? 'nats://127.0.0.1:4222';

export interface Opener {
  /** Opens a store on streams of its own, unless the options name some. */
  open(options?: NatsHistoryOptions): Promise<HistoryStore>;
  /** What a store was opened with, so that another one can be on the same streams. */
  optionsOf(store: HistoryStore): NatsHistoryOptions;
}

/** Opens stores whose streams are gone when the file's tests are over. */
export function opener(defaults: NatsHistoryOptions = {}, sizes: Partial<ChainSizes> = {}): Opener {
  const options = new WeakMap<HistoryStore, NatsHistoryOptions>();
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  let count = 0;
  afterAll(() => deleteStreams(defaults.servers ?? servers, prefix));
  return {
    async open(wanted = {}) {
      const all = { servers, name: `${prefix}-${++count}`, ...defaults, ...wanted };
      const store = await openHistory(all, sizes);
      options.set(store, all);
      return store;
    },
    optionsOf: (store) => options.get(store) as NatsHistoryOptions,
  };
}

async function deleteStreams(at: NonNullable<NatsHistoryOptions['servers']>, prefix: string): Promise<void> {
  const nc = await connect({ servers: typeof at === 'string' ? at : [...at] });
  const jsm = await jetstreamManager(nc);
  for await (const name of jsm.streams.names()) if (name.startsWith(prefix)) await jsm.streams.delete(name);
  await nc.close();
}

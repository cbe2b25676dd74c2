// A history store on NATS JetStream, shared by several nodes. Wires the parts; what each of them does is theirs. Spec: §3,
// §4; the decision: docs/decisions/0012.

import { historyOver } from '@haip/history-engine';
import type { HistoryStore } from '@haip/protocol';
import { Caretaker } from './caretaker.ts';
import type { ChainHost, ChainSizes } from './chain.ts';
import { type Connected, connectTo } from './connection.ts';
import { Epoch } from './epoch.ts';
import { openGround } from './ground.ts';
import { Hints } from './hints.ts';
import { Logs } from './logs.ts';
import { Memberships } from './memberships.ts';
import { idIn } from './names.ts';
import { NatsEngine } from './nats-engine.ts';
import { type NatsHistoryOptions, type ReadOptions, readOptions } from './options.ts';
import { Revocations } from './revocations.ts';
import { Transactions } from './transactions.ts';
import { Word } from './word.ts';

const KIB = 1024;
const usualSizes: ChainSizes = {
  inlineBytes: 64 * KIB,
  partBytes: 512 * KIB,
  trail: 32,
  snapshotEvery: 128,
  garbageBytes: 4 * KIB * KIB,
};

/**
 * Logs in JetStream, for any number of nodes. Resolves once NATS is there; from then on a NATS that is away for a while
 * makes what is asked meanwhile reject within `timeoutMs`, and is connected to again when it is back.
 *
 * @throws RangeError for an option out of its range; the message names it.
 * @throws Error when there is no NATS, one that is too old or has no JetStream, or streams of that name that are not ours.
 */
export function natsHistory(options: NatsHistoryOptions = {}): Promise<HistoryStore> {
  return openHistory(options);
}

/** @param sizes those that are to be others than usual, for tests. */
export async function openHistory(options: NatsHistoryOptions, sizes: Partial<ChainSizes> = {}): Promise<HistoryStore> {
  const read = readOptions(options);
  const connected = await connectTo(read);
  try {
    return historyOver(await openEngine(read, connected, { ...usualSizes, ...sizes }));
  } catch (error) {
    await connected.nc.close();
    throw error;
  }
}

async function openEngine(read: ReadOptions, connected: Connected, sizes: ChainSizes): Promise<NatsEngine> {
  const ground = await openGround(read, connected);
  const { nc, names, exchange, presence, background } = ground;
  const { limits, cacheBytes } = read;
  const { logs: logStream, index } = ground;
  const isConnected = (): boolean => exchange.isConnected;

  const epoch = new Epoch({
    ...ground,
    ids: read.ids,
    renewed: () => [logs, memberships, revocations].map((known) => known.reset()),
  });
  const ofIndex: ChainHost = {
    sizes: { ...sizes, partBytes: Math.min(sizes.partBytes, connected.contentBytes) },
    timeoutMs: read.timeoutMs,
    nextName: () => ground.nextName(),
    now: () => ground.now(),
    contested() {},
    lost: (what) => (what === 'all' ? epoch.check() : epoch.renew()),
    background: (work) => background.add(work),
  };
  const ofLogs: ChainHost = { ...ofIndex, contested: (subject) => hints.want(idIn(subject)) };
  const logs = new Logs({ host: ofLogs, stream: logStream, names, limits, cacheBytes });
  const memberships = new Memberships(ofIndex, index, names, cacheBytes);
  const revocations = new Revocations(ofIndex, index, names);
  const transactions = new Transactions({ host: ofIndex, index, names, limits, logs, memberships, epoch });
  const caretaker = new Caretaker(index, names, transactions);
  const seen = (seq: number): void => logStream.see(seq);
  const hints = new Hints({ ...ground, isConnected, seen, wanted: (transaction) => logs.giveWay(transaction) });
  presence.follow({
    nc,
    check: () => epoch.check(),
    disconnected: () => exchange.disconnected(),
    reconnected() {
      exchange.reconnected();
      hints.changed(logs.open());
    },
  });
  await epoch.check();
  const pieceBytes = Math.min(usualSizes.partBytes, connected.contentBytes);
  return new NatsEngine({
    supports: { durable: ground.isDurable, shared: true },
    ...{ logs, transactions, revocations, epoch, presence, hints },
    word: new Word({ nc, names, pieceBytes, nextName: () => ground.nextName(), isConnected }),
    tidy: () => background.add(caretaker.next()),
    async close() {
      await background.idle();
      hints.close();
      exchange.close('the store is closed');
      await nc.close();
    },
  });
}

// Several servers over one memory store that they share, on one clock; what they tell each other is in the test's hands.

import type { HistoryStore } from '@haip/protocol';
import { type FakeClock, fakeClock, sharedStore } from '@haip/testing';
import { testHistory } from './stores.ts';
import { type LinkedPeer, type TestServer, type TestServerOptions, testServer } from './support.ts';

/** A word between nodes, on its way. */
interface Word {
  readonly topic: string;
  /** As its JSON reads. */
  readonly said: Record<string, unknown>;
  /** Lets it arrive, once more each time. */
  arrive(): void;
}

export interface TestNodes {
  readonly clock: FakeClock;
  /** The store itself. */
  readonly inner: HistoryStore;
  /** One more server. */
  node(
    options?: Omit<TestServerOptions, 'history' | 'clock'>,
    change?: (node: HistoryStore) => HistoryStore,
  ): TestServer;
  /** Words that were told while they are held, in order. */
  readonly words: Word[];
  /** From now on words arrive when the test lets them. */
  hold(): void;
}

export function testNodes(clock = fakeClock(), inner = testHistory(clock)): TestNodes {
  const shared = sharedStore(inner);
  const words: Word[] = [];
  let isHeld = false;
  return {
    clock,
    inner,
    words,
    hold() {
      isHeld = true;
    },
    node(options = {}, change = (node) => node) {
      const node = shared.node();
      const history: HistoryStore = {
        ...node,
        notify(topic, body) {
          const arrive = (): void => void node.notify(topic, body);
          if (!isHeld) return arrive();
          words.push({ topic, said: JSON.parse(new TextDecoder().decode(body)), arrive });
        },
      };
      return testServer({ clock, ...options, history: change(history) });
    },
  };
}

export function tokenOf(peer: LinkedPeer): string {
  return peer.received.findLast(({ type }) => type === 'HAI')?.payload.resume_token;
}

/** Says HAI as a session that was here before, and waits for nothing. */
export function comeAgain({ connect }: TestServer, token: string, attempt: string, id?: string): LinkedPeer {
  const peer = connect();
  const capabilities = { transaction_log: true };
  const payload = { auth: { user: 'ada' }, resume_token: token, attempt, capabilities };
  peer.send({ type: 'HAI', payload, ...(id === undefined ? {} : { id }) });
  return peer;
}

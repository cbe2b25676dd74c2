// Stores with one fault each, planted in a sound one, to show that the suite's laws catch them.

import type {
  Draft,
  Entry,
  Heads,
  HistoryPage,
  HistoryStore,
  Lease,
  Outcome,
  StreamExtent,
  TransactionPage,
} from '@haip/protocol';
import type { StoreOptions } from '@haip/testing';
import { memoryHistory } from '../src/index.ts';

type Break = (store: HistoryStore, options: StoreOptions) => Partial<HistoryStore>;

/** The memory store answers at once; a fault in it may rely on that. */
const page = (answer: unknown): HistoryPage => answer as HistoryPage;
const copy = (drafts: readonly Draft[], change: (draft: Draft) => Partial<Draft>): Draft[] =>
  drafts.map((draft) => ({ ...draft, ...change(draft) }));

/** Appends changed copies and hands their outcomes back. */
function appendChanged(store: HistoryStore, change: (draft: Draft) => Partial<Draft>): Partial<HistoryStore> {
  return {
    append(transaction, drafts, fence) {
      const changed = copy(drafts, change);
      const pending = store.append(transaction, changed, fence);
      for (const [i, draft] of drafts.entries()) draft.outcome = changed[i]?.outcome;
      return pending;
    },
  };
}

/** Changes the outcomes of an append after it was done. */
function answerChanged(store: HistoryStore, change: (drafts: readonly Draft[]) => void): Partial<HistoryStore> {
  return {
    append(transaction, drafts, fence) {
      const pending = store.append(transaction, drafts, fence);
      change(drafts);
      return pending;
    },
  };
}

/** Changes the entries of each page. */
function readChanged(store: HistoryStore, change: (entry: Entry, page: HistoryPage) => Entry[]): Partial<HistoryStore> {
  return {
    read(transaction, range) {
      const answer = page(store.read(transaction, range));
      return answer && { ...answer, entries: answer.entries.flatMap((entry) => change(entry, answer)) };
    },
  };
}

function hidden(store: HistoryStore, hides: (entry: Entry, extent: StreamExtent) => boolean): Partial<HistoryStore> {
  const extents: StreamExtent[] = [];
  return {
    compact: (transaction, extent) => {
      extents.push(extent);
      return store.compact(transaction, extent);
    },
    ...readChanged(store, (entry) => (extents.some((extent) => hides(entry, extent)) ? [] : [entry])),
  };
}

let fresh = 0;

export const breaks: Readonly<Record<string, Break>> = {
  'forgets once-keys': (store) => ({
    ...appendChanged(store, ({ id }) => ({ id: `${id}~${++fresh}` })),
    ...readChanged(store, (entry) => [{ ...entry, id: entry.id.replace(/~\d+$/, '') }]),
  }),
  "mixes up users' once-keys": (store) => appendChanged(store, () => ({ user: 'everybody' })),
  'gives one position twice': (store) =>
    answerChanged(store, (drafts) => {
      const [first, second] = drafts;
      if (first?.outcome?.kind === 'stored' && second?.outcome?.kind === 'stored') second.outcome = first.outcome;
    }),
  "gives a repeat the newcomer's digest": (store) =>
    answerChanged(store, (drafts) => {
      for (const draft of drafts) {
        if (draft.outcome?.kind === 'repeat') draft.outcome = { ...draft.outcome, digest: draft.digest };
      }
    }),
  'gives up an append at the first refusal': (store) => ({
    append(transaction, drafts, fence) {
      let failure: Outcome | undefined;
      for (const draft of drafts) {
        if (failure === undefined) void store.append(transaction, [draft], fence);
        else draft.outcome = failure;
        if (draft.outcome?.kind === 'refused') failure = draft.outcome;
      }
    },
  }),
  'ignores the fence': (store) => ({ append: (transaction, drafts) => store.append(transaction, drafts) }),
  'ignores subjects': (store) => appendChanged(store, () => ({ subject: undefined })),
  "lets anybody into another's stream": (store) =>
    appendChanged(store, ({ subject }) => (subject ? { subject: { key: subject.key, step: subject.step } } : {})),
  'lets a question outlive its call': (store) =>
    appendChanged(store, ({ subject }) => (subject?.within ? { subject: { ...subject, within: undefined } } : {})),
  'goes on after TRANSACTION_END': (store) => ({
    ...appendChanged(store, ({ type }) => (type === 'TRANSACTION_END' ? { type: 'END' } : {})),
    ...readChanged(store, (entry) => [{ ...entry, type: entry.type === 'END' ? 'TRANSACTION_END' : entry.type }]),
  }),
  'trims out of the middle': (store) =>
    readChanged(store, (entry, { first, last }) => (first > 1 && entry.position === last - 1 ? [] : [entry])),
  'trims nothing': (_, options) => memoryHistory({ ...options, windowSize: 1_000_000, windowTime: '366d' }),
  'never looks at the time': (_, options) => memoryHistory({ ...options, windowTime: '366d' }),
  'trims one too many': (_, options) => memoryHistory({ ...options, windowSize: Math.max(1, options.windowSize - 1) }),
  'trims by the wall clock': (_, { clock, ...options }) =>
    memoryHistory({ ...options, clock: { ...clock, monotonic: () => clock.now() } }),
  'compacts the END too': (store) =>
    hidden(store, ({ position }, { start, end }) => position >= start && position <= end),
  'compacts what lies between': (store) =>
    hidden(store, ({ position }, { start, end }) => position >= start && position < end),
  'compacts a text that is not whole': (store) =>
    hidden(
      store,
      ({ type, payload }, { messageId }) =>
        type === 'MESSAGE_PART' && JSON.stringify(payload).includes(`"${messageId}"`),
    ),
  'never compacts': () => ({ compact: () => {} }),
  'pages without a limit': (store) => ({
    read: (transaction, { from, to }) => store.read(transaction, { from, to, maxEntries: 1e9, maxBytes: 1e9 }),
  }),
  'leaves out the last of a range': (store) => ({
    read: (transaction, range) =>
      store.read(transaction, range.to === undefined ? range : { ...range, to: range.to - 1 }),
  }),
  'finds nothing': () => ({ find: () => null }),
  'begins with the same epoch each time': (store) => ({
    head: (transaction) => ({ ...page(store.head(transaction)), epoch: 'always' }),
    read: (transaction, range) => ({ ...page(store.read(transaction, range)), epoch: 'always' }),
  }),
  'makes a transaction twice': (store) => ({
    create: (record, first) => store.create({ ...record, referenceId: `${record.referenceId}~${++fresh}` }, first),
  }),
  'leases to everybody': (store) => ({ lease: (transaction, _, ttlMs) => store.lease(transaction, 'all', ttlMs) }),
  'leases for ever': (store) => ({ lease: (transaction, holder) => store.lease(transaction, holder, 1e12) }),
  'keeps a lease that is let go': (store) => ({
    lease: (transaction, holder, ttlMs) => store.lease(transaction, holder, ttlMs || 1_000),
  }),
  'lets a stale holder write the record': (store) => {
    let newest = 0;
    return {
      lease(transaction, holder, ttlMs) {
        const lease = store.lease(transaction, holder, ttlMs) as Lease | null;
        newest = Math.max(newest, lease?.fence ?? 0);
        return lease;
      },
      saveLease: (transaction, _, record) => store.saveLease(transaction, newest, record),
    };
  },
  'lists the oldest first': (store) => ({
    list(user, after) {
      const answer = store.list(user, after) as TransactionPage;
      return { ...answer, transactions: answer.transactions.toReversed() };
    },
  }),
  'lists one page only': (store) => ({
    list: (user, after) => ({ transactions: (store.list(user, after) as TransactionPage).transactions }),
  }),
  'lists no one who joined': (store) =>
    appendChanged(store, ({ type }) => (type === 'TRANSACTION_JOIN' ? { user: null } : {})),
  'mixes up the heads': (store) => ({
    heads(transactions, since) {
      const answer = store.heads(transactions, since) as Heads;
      return { ...answer, heads: answer.heads.toReversed() };
    },
  }),
  'forgets whose rights ended': () => ({ revoke: () => {} }),
  'says of all that their rights ended just now': (store) => ({
    heads(transactions, since) {
      const answer = store.heads(transactions, since) as Heads;
      return { ...answer, revoked: answer.revoked.map(({ user }) => ({ user, agoMs: 0 })) };
    },
  }),
  'tells only the first who asks whose rights ended': (store) => {
    let place: string | undefined;
    return {
      heads(transactions, since) {
        const answer = store.heads(transactions, since === undefined ? undefined : place) as Heads;
        place = answer.place;
        return answer;
      },
    };
  },
  'answers after close': () => ({ close: () => {} }),
  'tells nobody': () => ({ notify: () => {} }),
  'takes a topic for a pattern': (store) => ({
    notify: (topic, body) => store.notify(topic.toLowerCase(), body),
    listen: (topic, heard) => store.listen(topic.toLowerCase(), heard),
  }),
  'tells who stopped listening': (store) => ({
    listen: (topic, heard) => {
      store.listen(topic, heard);
      return () => {};
    },
  }),
};

/** A store with one fault. Once closed it is as sound as any, so that only the law on that fault can catch it. */
export function brokenStore(fault: Break, options: StoreOptions): HistoryStore {
  const sound = memoryHistory(options);
  let isClosed = false;
  const close: HistoryStore['close'] = () => {
    isClosed = true;
    return sound.close();
  };
  const faulty: HistoryStore = { ...sound, close, ...fault(sound, options) };
  return new Proxy(faulty, { get: (target, key) => Reflect.get(isClosed ? sound : target, key) });
}

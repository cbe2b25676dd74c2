// What people do: one small thing at a time, as chance has it.

import type { App, Chat } from './app.ts';
import type { Chance } from './chance.ts';
import { judgeReplay } from './checker/replaying.ts';
import type { StoredLogs } from './checker/stored-logs.ts';
import type { Verdicts } from './checker/verdicts.ts';
import { toolNames } from './tools.ts';

export interface WorkloadParts {
  readonly chance: Chance;
  readonly logs: StoredLogs;
  readonly verdicts: Verdicts;
  /** Transactions that somebody started, for others to join. */
  readonly shared: string[];
  readonly calm: boolean;
  /** Whether what an application has let go of is joined again. */
  readonly rejoins: boolean;
  /** Conversations a client may have open at once. */
  readonly maxJoined: number;
}

type Action = (parts: WorkloadParts, app: App, chat: Chat) => void;

const sendText: Action = ({ chance }, app, chat) => {
  for (let times = chance.pick([1, 1, 2, 5]); times > 0; times--) app.send(chat, (token) => `${token} hello`);
};

const actions: readonly (readonly [weight: number, action: Action])[] = [
  [10, sendText],
  [2, (_parts, app, chat) => app.send(chat, (token) => ({ token, list: [1, { deep: true }], text: `${token} é` }))],
  [2, (_parts, app, chat) => app.sendAudio(chat)],
  [4, ({ chance }, app, chat) => void app.stream(chat, chance.between(1, 5), () => chance.between(0, 200))],
  [
    2,
    ({ chance }, app, chat) => {
      const patience = new AbortController();
      app.send(chat, (token) => `${token} never mind`, patience.signal);
      app.host.after(chance.between(0, 400), () => patience.abort());
    },
  ],
  [3, replay],
  [3, (_parts, app, chat) => app.cancel(chat)],
  [2, ({ chance }, app, chat) => app.answerCall(chat, chance.pick(['approve', 'deny', 'cancel']))],
  // More than the server takes in one message.
  [1, (_parts, app, chat) => app.send(chat, (token) => `${token} ${'long '.repeat(1_800)}`)],
  [1, (_parts, app) => app.list()],
  [1, (_parts, app, chat) => app.end(chat)],
  [1, (_parts, app, chat) => app.leave(chat)],
];
/** Each action as often as its weight. */
const bag = actions.flatMap(([weight, action]) => Array.from({ length: weight }, () => action));

/** An application does something. */
export function act(parts: WorkloadParts, app: App): void {
  const { chance, shared, maxJoined, rejoins } = parts;
  // Turned away, it tries again: perhaps its user may come back.
  if (app.client.state.name === 'disconnected') return app.connect();
  const chats = [...app.chats.values()].filter(({ isLeft }) => !isLeft);
  const isFull = app.chats.size + app.asking >= Math.min(4, maxJoined);
  const joinable = isFull ? [] : shared.filter((id) => !app.chats.has(id) && (rejoins || !hasRead(app, id)));
  if (joinable.length > 0 && chance.happens(chats.length === 0 ? 0.6 : 0.15))
    return join(parts, app, chance.pick(joinable));
  if (!isFull && (chats.length === 0 || chance.happens(0.08))) {
    return app.start(toolFor(chance), (transaction) => void shared.push(transaction));
  }
  if (chats.length === 0) return;
  chance.pick(bag)(parts, app, chance.pick(chats));
}

const hasRead = (app: App, id: string): boolean => app.readings.some(({ transaction }) => transaction === id);

function toolFor(chance: Chance): string {
  if (chance.happens(0.02)) return 'nobody-has-it';
  return chance.happens(0.6) ? chance.pick(['echo', 'stream', 'slow']) : chance.pick(toolNames);
}

function join({ chance, logs, calm }: WorkloadParts, app: App, transaction: string): void {
  const log = logs.now(transaction);
  if (calm || log === undefined || chance.happens(0.6)) return app.join(transaction);
  // One that kept a cursor: an old one, one of the future, one of another epoch.
  const epoch = chance.happens(0.2) ? 'another-epoch' : log.epoch;
  const position = chance.between(0, log.last + (chance.happens(0.2) ? 5 : 0));
  app.join(transaction, { epoch, position }, position > log.last);
}

/** Reads a stretch of the log again. */
function replay({ chance, logs, verdicts }: WorkloadParts, app: App, chat: Chat): void {
  const { reading, transaction } = chat;
  const from = chance.happens(0.2) ? undefined : chance.between(1, Math.max(1, reading.position));
  const to = chance.happens(0.4) ? undefined : chance.between(Math.max(1, (from ?? 1) - 1), reading.position + 2);
  chat.replaying++;
  const asked = { who: app.name, reading, from, to, isOpen: () => transaction.closed === undefined };
  const judged = judgeReplay({ logs, verdicts }, asked, transaction.getReplayWindow(from, to));
  void app.asked('replay', judged).finally(() => chat.replaying--);
}

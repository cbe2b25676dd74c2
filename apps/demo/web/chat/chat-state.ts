// What the page knows, at one moment. Values only: chat-store.ts and talk.ts make each new one.

import { type Conversation, emptyConversation } from '@haip/protocol';
import { emptyTally, type Tally } from './tally.ts';

export type Tool = 'assistant' | 'echo';

type Phase =
  | { readonly name: 'choosing' }
  | { readonly name: 'starting' | 'joining' }
  | { readonly name: 'open'; readonly transaction: string }
  | { readonly name: 'failed'; readonly code: string };

export type Link =
  | { readonly name: 'connecting' | 'connected' | 'disconnected' }
  /** `retryAt` as performance.now() counts. */
  | { readonly name: 'waiting'; readonly retryAt: number };

export interface UnsentMessage {
  readonly id: string;
  /** Empty for audio. */
  readonly text: string;
}

export interface FailedMessage extends UnsentMessage {
  /** Written, and nobody can say whether it is in the log; else it certainly is not. */
  readonly isUnknown: boolean;
  /** It is larger than the server takes: the same again would fail again. */
  readonly isTooLarge: boolean;
}

/** Of the page and its connection. */
export interface PageState {
  readonly phase: Phase;
  readonly link: Link;
  /** The name of the transport that carries the session, or did last. */
  readonly transport: string | undefined;
  /** The name of the one that the session is being moved to. */
  readonly movingTo: string | undefined;
  /** The name of one that it could not be moved to, until the next move. */
  readonly notMovedTo: string | undefined;
  /** Frames that the client dropped because it had their positions. */
  readonly duplicates: number;
  /** The conversations open in this page in which an agent is at work. */
  readonly answering: ReadonlySet<string>;
}

/** Of one conversation. */
export interface TalkState {
  readonly tool: string | undefined;
  readonly conversation: Conversation;
  /** Call id → where it began in the log. */
  readonly callsAt: ReadonlyMap<string, number>;
  /** Call id → what was answered here to its question, and is not in the log yet. */
  readonly answered: ReadonlyMap<string, boolean>;
  /** Written here and not in the log yet. */
  readonly pending: readonly UnsentMessage[];
  /** Refused, or lost with an unknown outcome. */
  readonly failed: readonly FailedMessage[];
  /** The agent was asked to stop, and that is not in the log yet. */
  readonly isStopping: boolean;
  readonly tally: Tally;
  /** Message id → the offsets in its text at which the connection was lost. */
  readonly seams: ReadonlyMap<string, readonly number[]>;
  /** The last position that was no longer kept when this page began to read; 0 when all was there. */
  readonly expiredTo: number;
  /** The server began this conversation afresh. */
  readonly restarted: boolean;
  /** Nothing more will come: the code of why. */
  readonly closed: string | undefined;
}

/** The page with the conversation that it shows. */
export type ChatState = PageState & TalkState;

/** Whether an agent is at work that can be stopped. */
export const isAnswering = ({ conversation }: Pick<TalkState, 'conversation'>): boolean =>
  conversation.runs.some(({ status }) => status === 'RUNNING');

export const initialPage: PageState = {
  phase: { name: 'choosing' },
  link: { name: 'connecting' },
  transport: undefined,
  movingTo: undefined,
  notMovedTo: undefined,
  duplicates: 0,
  answering: new Set(),
};

export const initialTalk: TalkState = {
  tool: undefined,
  conversation: emptyConversation,
  callsAt: new Map(),
  answered: new Map(),
  pending: [],
  failed: [],
  isStopping: false,
  tally: emptyTally,
  seams: new Map(),
  expiredTo: 0,
  restarted: false,
  closed: undefined,
};

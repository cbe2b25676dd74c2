// What the simulator puts together: somebody's server, client and store, seen through what it needs of them. It
// brings the machines, the network, the time, the chance and the people itself.

import type {
  Accept,
  AudioMessage,
  Authenticator,
  Backplane,
  Clock,
  CodecLimits,
  Conversation,
  ConversationEntry,
  ConversationGap,
  CreditLedger,
  HistoryStore,
  Ids,
  JsonValue,
  Logger,
  MessageWriter,
  Random,
  Signer,
  Tool,
  Transport,
} from '@haip/protocol';
import type { LinkFactory } from './ordered-link.ts';

/** What a server is made with. Times are in ms. */
export interface SimulatedServerOptions {
  readonly history: HistoryStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly signer: Signer;
  readonly logger: Logger;
  /** Keeps the accounts, at the server's default prices; without it nothing costs anything. */
  readonly credits: { readonly ledger: CreditLedger } | undefined;
  readonly limits: {
    readonly maxReplayEntries: number;
    readonly turnTimeoutMs: number;
    readonly drainTimeoutMs: number;
    readonly maxJoined: number;
    readonly maxTextBytes: number;
    /** What each window of a client begins with. */
    readonly windowMessages: number;
  };
}

/** What the simulator needs of a server. */
export interface SimulatedServer {
  readonly accept: Accept;
  authenticate(authenticator: Authenticator): void;
  // biome-ignore lint/suspicious/noExplicitAny: each tool has an input type of its own
  registerTool(tool: Tool<any>): void;
  /** Open connections. */
  readonly connections: number;
  /** Transactions in hand. */
  readonly transactions: number;
  /** Ends all connections of a user, here and on the other nodes. */
  disconnectUser(user: string): Promise<void>;
  /** Ends, and gives everybody time; `close` at once, also when it drains. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export interface SimulatedClientOptions {
  readonly transports: readonly Transport[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly logger: Logger;
  /** What each window of the server begins with. */
  readonly windowMessages: number;
  readonly reconnect: { readonly minDelayMs: number; readonly maxDelayMs: number };
}

export interface SimulatedCursor {
  readonly epoch: string;
  readonly position: number;
}

interface Waiting {
  readonly signal?: AbortSignal | undefined;
}

export interface SimulatedTransaction {
  readonly id: string;
  readonly conversation: Conversation;
  readonly pending: readonly unknown[];
  readonly cursor: SimulatedCursor;
  readonly closed: { readonly reason: Error | undefined } | undefined;
  on(name: 'entry' | 'ended', listener: (entry: ConversationEntry) => void): () => void;
  on(name: 'gap', listener: (gap: ConversationGap) => void): () => void;
  on(name: 'restart', listener: (restart: { readonly epoch: string }) => void): () => void;
  on(name: 'closed', listener: (reason: Error | undefined) => void): () => void;
  send(
    payload: Exclude<JsonValue, null>,
    options?: Waiting,
  ): Promise<{ readonly id: string; readonly position?: number }>;
  sendAudio(audio: AudioMessage, options?: Waiting): Promise<{ readonly id: string; readonly position?: number }>;
  stream(options?: Waiting): MessageWriter;
  getReplayWindow(from?: number, to?: number): AsyncIterable<ConversationEntry>;
  /** Stops every run. */
  cancel(): Promise<void>;
  cancelCall(call: string): Promise<void>;
  approve(call: string, isApproved: boolean): Promise<void>;
  leave(): Promise<void>;
  end(): Promise<void>;
}

/** `reason`: why it stopped by itself. */
export interface SimulatedClientState {
  readonly name: string;
  readonly reason?: Error | undefined;
}

/** What the simulator needs of a client. */
export interface SimulatedClient {
  readonly state: SimulatedClientState;
  on(name: 'state', listener: (state: SimulatedClientState) => void): () => void;
  readonly stats: { readonly duplicates: number; readonly faults: number; readonly connections: number };
  authenticate(credentials: () => unknown): void;
  connect(): Promise<void>;
  disconnect(): void;
  /** Moves what it has to another transport. */
  useTransport(transport: Transport, options?: Waiting): Promise<void>;
  startTransaction(tool: string, options?: { readonly params?: JsonValue }): Promise<SimulatedTransaction>;
  joinTransaction(id: string, options?: { readonly cursor?: SimulatedCursor }): Promise<SimulatedTransaction>;
  listTransactions(): Promise<{ readonly transactions: readonly { readonly transaction: string }[] }>;
}

export interface SimulatedStoreOptions {
  /** Most messages kept. */
  readonly windowSize: number;
  /** How long a message is kept, in ms. */
  readonly windowTime: number;
  readonly clock: Clock;
  /** Names the epoch. */
  readonly ids: Ids;
}

/** What a process answers a request with. */
export type HttpHandler = (request: Request) => Promise<Response>;

/**
 * Both sides of a transport over HTTP, the transport's own code; the simulator is what lies between them. Its timers have
 * to be virtual: see `virtualTimers`.
 */
export interface HttpKind {
  readonly name: string;
  /** What one process answers requests with. POSTs reach any of them: `backplane` is the way to the one with the stream. */
  handler(accept: Accept, limits: CodecLimits, backplane: Backplane): HttpHandler;
  transport(options: { readonly origin: string; readonly fetch: typeof globalThis.fetch }): Transport;
}

/** The parts under test. */
export interface SimulatedParts {
  server(options: SimulatedServerOptions): SimulatedServer;
  client(options: SimulatedClientOptions): SimulatedClient;
  /** An empty store. */
  store(options: SimulatedStoreOptions): HistoryStore;
  /** Accounts without anybody's. */
  ledger(options: { readonly clock: Clock }): CreditLedger;
  /** Default: {@link orderedLink}, a WebSocket. */
  readonly link?: LinkFactory | undefined;
  /** Transports over HTTP that some of the seeds connect by. Default: none. */
  readonly http?: readonly HttpKind[] | undefined;
}

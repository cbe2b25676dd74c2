// The server's limits, their defaults and their check at start-up. Durations in ms, sizes in bytes.
// Source: the limits table of the guarantees.

import { defaultCodecLimits, defaultFlowCredit } from '@haip/protocol';

export interface ServerLimits {
  /** From the open connection to its HAI; then closed 4408. Default 5,000. */
  readonly haiTimeoutMs: number;
  /** For the authenticator's answer; then closed 1013. Default 10,000. */
  readonly authTimeoutMs: number;
  /** Most messages held while the verdict is out. Default 16. */
  readonly maxHeldMessages: number;
  /** Most bytes held while the verdict is out. Default 65,536. */
  readonly maxHeldBytes: number;
  /** Silence after which a peer is asked for a sign of life. Default 20,000. */
  readonly pingAfterMs: number;
  /** Silence after that until the peer is taken for dead. Default 10,000. */
  readonly deadAfterMs: number;
  /** Protocol errors within a minute after which a connection is closed 1008. Default 10. */
  readonly maxProtocolErrors: number;
  /** Transactions one connection may read at once. Default 100. */
  readonly maxJoined: number;
  /** TRANSACTION_STARTs of one connection that wait for the store. Default 16. */
  readonly maxPendingStarts: number;
  /** Messages of one connection that wait for one transaction's store and that no window holds back. Default 1,024. */
  readonly maxQueuedMessages: number;
  /** Bytes of such messages. Default 1,048,576. */
  readonly maxQueuedBytes: number;
  /** What a client with flow control may send on one channel of a transaction before it is given more. Default 1,024. */
  readonly windowMessages: number;
  /** The same in bytes. Default 1,048,576. */
  readonly windowBytes: number;
  /** Most entries in a page of replay. Default 200. */
  readonly maxReplayEntries: number;
  /** A page of replay ends after the entry that reaches this. Default 524,288. */
  readonly maxReplayBytes: number;
  /** Text of one streamed message. Default 1,048,576. */
  readonly maxStreamBytes: number;
  /** How long a message may be open without a part; then it is ended as interrupted, at the latest a tenth later. Default 300,000. */
  readonly streamIdleMs: number;
  /** Messages that may be open in a transaction at once; one more is refused. Default 16. */
  readonly maxOpenStreams: number;
  /** Params of a TRANSACTION_START, which outlive its messages. Default 16,384. */
  readonly maxParamsBytes: number;
  /** How long a link that asks for patience may take nothing of what it holds; then closed 4008. Slow is not stuck. Default 10,000. */
  readonly drainTimeoutMs: number;
  /** Answers and notices that may wait for a link that takes nothing; then closed 4008. Default 1,048,576. */
  readonly maxPiledBytes: number;
  /**
   * Largest text envelope a peer may be sent whole; a longer text of a stream stays in its parts, anything else is rejected.
   * At least 5,120. Default 262,144.
   */
  readonly maxTextBytes: number;
  /** Most bytes of one audio message of a tool. No more than the readers' own limit, whose default is the same. Default 1,048,576. */
  readonly maxBinaryBytes: number;
  /** A tool's `write()` waits while everybody who reads is more entries behind than this. Default 256. */
  readonly maxReaderLag: number;
  /** How long a turn of a tool may take. Default 600,000. */
  readonly turnTimeoutMs: number;
  /** How long a tool may go on once its turn, or its call, was stopped; then that is closed without it. Default 5,000. */
  readonly stopGraceMs: number;
  /** How long after a node died another one answers in its place; a lease is renewed in half of that. Default 30,000. */
  readonly leaseMs: number;
  /** Turns of one user that go on at once on this node, over all transactions; one more waits. Default 5. */
  readonly maxConcurrentRuns: number;
  /** Messages of a transaction that wait for its tool; one more is refused. Default 10,000. */
  readonly maxWaitingMessages: number;
  /** Calls that may be open in a transaction when a client begins one more. Default 64. */
  readonly maxOpenCalls: number;
  /** How long a client may try to send a message again. Default 600,000; below how long the store keeps once-keys. */
  readonly retryWithinMs: number;
  /** How often a node asks a shared store where its logs stand and whose rights ended. Default 10,000. */
  readonly positionCheckMs: number;
  /** How long a shared store may answer nothing; then clients are closed 1013 and nobody is taken until it does. Default 30,000. */
  readonly storeTimeoutMs: number;
  /** How long turns that go on may take to end when the server drains; then they are stopped. Default 10,000. */
  readonly closeGraceMs: number;
  /** The connections of a server that drains are closed within this, one by one, at least one each 100 ms. Default 10,000. */
  readonly closeSpreadMs: number;
  /** How long a server takes to close at most, whatever its store, its tools and its peers do. Default 30,000. */
  readonly closeWithinMs: number;
  /**
   * What the network has not taken yet of all connections together, in bytes; beyond it nobody is taken. Give a quarter of
   * the heap: `v8.getHeapStatistics().heap_size_limit / 4` in Node. Default 268,435,456.
   */
  readonly maxUnsentBytes: number;
  /** Connections at once; one more is closed 1013. Default 10,000. */
  readonly maxConnections: number;
  /** Connections of one user at once; one more is closed 4429. Off on loopback. Default 200. */
  readonly maxConnectionsPerUser: number;
  /** Connections of one address, or IPv6 network, at once; one more is closed 1013. Off on loopback. Default 1,000. */
  readonly maxConnectionsPerAddress: number;
  /** Refused credentials of one address within a minute; until that is over it is closed 1013. Off on loopback. Default 60. */
  readonly maxAuthFailures: number;
  /** What one connection may send in the long run; more is RATE_LIMITED. Off on loopback. Default 100. */
  readonly messagesPerSecond: number;
  /** What it may send at once. Default 200. */
  readonly messagesBurst: number;
  /** So many bytes of AUDIO, or of what a replay brings, count as one message. Default 16,384. */
  readonly bytesPerMessage: number;
  /** RATE_LIMITED answers within a minute; one more ends the connection 1008. Default 5,000. */
  readonly maxRateRefusals: number;
}

export const defaultLimits: ServerLimits = {
  haiTimeoutMs: 5_000,
  authTimeoutMs: 10_000,
  maxHeldMessages: 16,
  maxHeldBytes: 64 * 1024,
  pingAfterMs: 20_000,
  deadAfterMs: 10_000,
  maxProtocolErrors: 10,
  maxJoined: 100,
  maxPendingStarts: 16,
  maxQueuedMessages: 1024,
  maxQueuedBytes: 1024 * 1024,
  windowMessages: defaultFlowCredit.messages,
  windowBytes: defaultFlowCredit.bytes,
  maxReplayEntries: 200,
  maxReplayBytes: 512 * 1024,
  maxStreamBytes: 1024 * 1024,
  streamIdleMs: 300_000,
  maxOpenStreams: 16,
  maxParamsBytes: 16 * 1024,
  drainTimeoutMs: 10_000,
  maxPiledBytes: 1024 * 1024,
  maxTextBytes: defaultCodecLimits.maxTextBytes,
  maxBinaryBytes: defaultCodecLimits.maxBinaryBytes,
  maxReaderLag: 256,
  turnTimeoutMs: 600_000,
  stopGraceMs: 5_000,
  leaseMs: 30_000,
  maxConcurrentRuns: 5,
  maxWaitingMessages: 10_000,
  maxOpenCalls: 64,
  retryWithinMs: 600_000,
  positionCheckMs: 10_000,
  storeTimeoutMs: 30_000,
  closeGraceMs: 10_000,
  closeSpreadMs: 10_000,
  closeWithinMs: 30_000,
  maxUnsentBytes: 256 * 1024 * 1024,
  maxConnections: 10_000,
  maxConnectionsPerUser: 200,
  maxConnectionsPerAddress: 1_000,
  maxAuthFailures: 60,
  messagesPerSecond: 100,
  messagesBurst: 200,
  bytesPerMessage: 16 * 1024,
  maxRateRefusals: 5_000,
};

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** An envelope without its payload, and room for some. */
const LEAST_TEXT_BYTES = 5 * 1024;

/**
 * The defaults with the given ones in their place.
 * @throws RangeError for a limit that is not a positive whole number, a time that a timer cannot hold, or too little text.
 */
export function readLimits(given: Partial<ServerLimits> = {}): ServerLimits {
  const limits = { ...defaultLimits, ...given };
  for (const [name, value] of Object.entries(limits)) {
    const least = name === 'maxTextBytes' ? LEAST_TEXT_BYTES : 1;
    const highest = name.endsWith('Ms') ? LONGEST_TIMER_MS : Number.MAX_SAFE_INTEGER;
    if (!Number.isInteger(value) || value < least || value > highest) {
      throw new RangeError(`limits.${name}: expected a whole number from ${least} to ${highest}, got ${value}`);
    }
  }
  return limits;
}

export { afterClose } from './after-close.ts';
export { fromBase64, toBase64 } from './base64.ts';
export { type CloseCode, closeCodes } from './close-codes.ts';
export { decode, decodeWithBase64, encode, readEnvelope } from './codec.ts';
export { type CodecLimits, defaultCodecLimits, longestText } from './codec-limits.ts';
export type { Accept, PeerInfo, Unavailable } from './contracts/accept.ts';
export type { AuthContext, Authenticator, HAIPUser } from './contracts/authenticator.ts';
export type { Backplane } from './contracts/backplane.ts';
export type { Clock, Timer } from './contracts/clock.ts';
export type {
  Connection,
  ConnectionEnd,
  ConnectionSupports,
  Frame,
  Incoming,
  Received,
} from './contracts/connection.ts';
export type { CreditLedger, Debit } from './contracts/credit-ledger.ts';
export type {
  CreatedTransaction,
  Draft,
  Entry,
  Head,
  Heads,
  HistoryPage,
  HistoryRange,
  HistoryStore,
  HistorySupports,
  Lease,
  LeaseRecord,
  Outcome,
  Revoked,
  StreamExtent,
  Subject,
  TransactionPage,
  TransactionRecord,
} from './contracts/history-store.ts';
export type { Ids, Random } from './contracts/ids.ts';
export type { Logger, LogLevel } from './contracts/logger.ts';
export type { Pending } from './contracts/pending.ts';
export type { Signer } from './contracts/signer.ts';
export type { TextStore } from './contracts/text-store.ts';
export type {
  AudioMessage,
  Call,
  CallEnd,
  MessageWriter,
  StopReason,
  StreamOptions,
  Tool,
  Turn,
} from './contracts/tool.ts';
export type { DialOptions, Transport } from './contracts/transport.ts';
export type { Wake } from './contracts/wake.ts';
export {
  type Conversation,
  type ConversationCall,
  type ConversationEntry,
  type ConversationGap,
  type ConversationMessage,
  type ConversationRun,
  emptyConversation,
  entryTypes,
  interruptOpen,
  reduceConversation,
  reduceGap,
} from './conversation.ts';
export { decodeFromServer } from './decode-from-server.ts';
export { bodyDigest } from './digest.ts';
export { channels, type Envelope, envelopeFields } from './envelope.ts';
export { envelopeSchema } from './envelope-schema.ts';
export { type ErrorCode, errorCodes, mayRetry } from './error-codes.ts';
export { Fault, type FaultDetails, type Spent } from './errors.ts';
export { defaultFlowCredit, type FlowCredit, FlowWindow } from './flow-window.ts';
export { isChannel, isDecimal, isId, isMime, readDecimal } from './grammar.ts';
export { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
export { type ScanResult, scanJson } from './json-scan.ts';
export { negotiate, protocolMajor, protocolVersion, sharesMajor, type Terms } from './negotiation.ts';
export { createPermissionMap, isAllowed, type PermissionMap } from './permissions.ts';
export { ReceiveWindow } from './receive-window.ts';
export {
  checkFromClient,
  checkFromServer,
  currentName,
  type EventName,
  type EventType,
  eventType,
  eventTypes,
  type PayloadOf,
} from './registry.ts';
export { SendWindows } from './send-windows.ts';
export { judgeNumber, judgePosition, refuseUnlessRange } from './sequence.ts';
export { subjectOf } from './subject.ts';

// What two peers agree on when they say HAI. Pure: reads both sides' words, gives the terms. Spec: §2.

import { Fault } from './errors.ts';
import { defaultFlowCredit, type FlowCredit } from './flow-window.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** The version this implementation speaks, and its major. */
export const protocolVersion = '1.1.2';
export const protocolMajor = 1;

/** Types that a peer with the transaction log always takes, whatever its `accept_events` says. */
const implied: readonly string[] = ['HAI', 'INFO', 'ERROR', 'FLOW_UPDATE', 'PING', 'PONG'];

/** What both sides go by once each has said HAI. */
export interface Terms {
  /** The peer keeps the log's rules (§3–§5). Without it the peer is a plain v1 one. */
  readonly transactionLog: boolean;
  readonly binaryFrames: boolean;
  /** The event types the peer takes; undefined: all. */
  readonly events: ReadonlySet<string> | undefined;
  /** What each window towards the peer begins with; undefined: the peer keeps none and is held to none. */
  readonly flow: FlowCredit | undefined;
}

/** Whether the peer that said this HAI speaks our major: one of its `accept_major`, or that of its `haip_version`. */
export function sharesMajor({ haip_version: version, accept_major: majors }: JsonObject): boolean {
  if (Array.isArray(majors)) return majors.includes(protocolMajor);
  return typeof version !== 'string' || version.split('.')[0] === String(protocolMajor);
}

/**
 * Judges the peer's HAI payload. Its majors are `accept_major`, or that of `haip_version` when it lists none.
 *
 * @returns the terms, or VERSION_INCOMPATIBLE (which closes with 1008) when the two share no major.
 */
export function negotiate(payload: JsonValue): Terms | Fault {
  const hai: JsonObject = isJsonObject(payload) ? payload : {};
  if (!sharesMajor(hai)) {
    return new Fault('VERSION_INCOMPATIBLE', {
      expected: `protocol major ${protocolMajor}`,
      got: 'none in common',
      close: 1008,
    });
  }
  const capabilities = hai['capabilities'];
  const offers: JsonObject = isJsonObject(capabilities) ? capabilities : {};
  const transactionLog = offers['transaction_log'] === true;
  const events = hai['accept_events'];
  return {
    transactionLog,
    binaryFrames: offers['binary_frames'] === true,
    events: Array.isArray(events) && transactionLog ? new Set([...implied, ...events.map(String)]) : undefined,
    flow: transactionLog ? readFlow(offers['flow_control']) : undefined,
  };
}

/** The capability `flow_control`: windows in both directions. What it does not name is as by default. */
function readFlow(offer: JsonValue | undefined): FlowCredit | undefined {
  if (offer === true) return defaultFlowCredit;
  if (!isJsonObject(offer)) return undefined;
  const { initial_credit_messages: messages, initial_credit_bytes: bytes } = offer;
  return {
    messages: isCount(messages) ? messages : defaultFlowCredit.messages,
    bytes: isCount(bytes) ? bytes : defaultFlowCredit.bytes,
  };
}

function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

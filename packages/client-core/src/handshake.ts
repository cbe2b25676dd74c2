// What a client says in its HAI, and what it makes of the server's. Pure. Spec: §2.

import {
  type Envelope,
  Fault,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  negotiate,
  protocolMajor,
  protocolVersion,
} from '@haip/protocol';
import { RefusedError } from './errors.ts';

/** A cursor to go on from. */
export interface ResumeItem extends JsonObject {
  readonly transaction: string;
  readonly epoch: string;
  /** The last position read. */
  readonly seq: string;
}

/** Every type of entry this client knows; the server steps over others and says so. */
export const entryTypes: readonly string[] = [
  ...['START', 'JOIN', 'LEAVE', 'END'].map((step) => `TRANSACTION_${step}`),
  ...['', '_START', '_PART', '_END', '_UPDATE'].map((step) => `MESSAGE${step}`),
  'AUDIO',
  ...['STARTED', 'FINISHED', 'CANCEL', 'ERROR'].map((step) => `RUN_${step}`),
  ...['CALL', 'UPDATE', 'DONE', 'CANCEL'].map((step) => `TOOL_${step}`),
];

export interface Greeting {
  /** What the application's `authenticate` function gave. Never logged. */
  readonly auth: JsonValue | undefined;
  readonly token: string | undefined;
  readonly attempt: number;
  readonly resume: readonly ResumeItem[];
}

export function haiPayload({ auth, token, attempt, resume }: Greeting, binary: boolean): JsonObject {
  return {
    haip_version: protocolVersion,
    accept_major: [protocolMajor],
    accept_events: entryTypes,
    capabilities: { binary_frames: binary, transaction_log: true },
    auth,
    resume_token: token,
    attempt: String(attempt),
    resume: resume.length === 0 ? undefined : resume,
  };
}

/** What counts after the server's HAI. */
export interface Welcome {
  /** The server keeps no log: a plain v1 one. */
  readonly plain: boolean;
  readonly binary: boolean;
  readonly token: string | undefined;
  readonly retryWithinMs: number | undefined;
}

/** Reads the server's HAI; VERSION_INCOMPATIBLE when there is no version in common. */
export function readWelcome({ payload }: Envelope): Welcome | RefusedError {
  const terms = negotiate(payload);
  if (terms instanceof Fault) {
    return new RefusedError(terms.code, terms);
  }
  const { resume_token: token, retry_within_ms: retryWithinMs }: JsonObject = isJsonObject(payload) ? payload : {};
  return {
    plain: !terms.transactionLog,
    binary: terms.binaryFrames,
    token: typeof token === 'string' ? token : undefined,
    retryWithinMs: typeof retryWithinMs === 'number' ? retryWithinMs : undefined,
  };
}

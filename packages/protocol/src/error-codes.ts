/**
 * Every code an ERROR may carry, and whether sending the same message again can help. Spec: §6.
 * The documented ones first, then those that v1 software uses, then ours.
 */
export const errorCodes = {
  PROTOCOL_VIOLATION: { retry: false, meaning: 'the message breaks the grammar of the wire' },
  SEQ_VIOLATION: { retry: true, meaning: 'a number was skipped; nothing was taken' },
  FLOW_CONTROL_VIOLATION: { retry: true, meaning: 'sent beyond the window' },
  VERSION_INCOMPATIBLE: { retry: false, meaning: 'no protocol version in common' },
  UNSUPPORTED_TYPE: { retry: false, meaning: 'a critical message of an unknown type or with an unknown field' },
  RUN_LIMIT_EXCEEDED: { retry: true, meaning: 'too many runs, starts or joined transactions at once' },
  REPLAY_TOO_OLD: { retry: false, meaning: 'the range begins before the history that is kept' },
  RESUME_FAILED: { retry: false, meaning: 'the session can not be resumed' },
  AUTHENTICATION_FAILED: { retry: false, meaning: 'the credentials were not accepted' },
  TOOL_EXECUTION_ERROR: { retry: false, meaning: 'the tool failed' },
  TRANSACTION_NOT_FOUND: { retry: false, meaning: 'no such transaction, or none that this user may read' },
  TOOL_NOT_FOUND: { retry: false, meaning: 'no such tool' },
  MISSING_TOOL_NAME: { retry: false, meaning: 'TRANSACTION_START without toolName' },
  INVALID_PAYLOAD: { retry: false, meaning: "the payload does not fit the tool's input" },
  UNAUTHORIZED: { retry: false, meaning: 'the user may not send this' },
  INSUFFICIENT_CREDITS: { retry: true, meaning: 'the account is empty' },
  TRANSACTION_ENDED: { retry: false, meaning: 'the transaction is closed' },
  MESSAGE_TOO_LARGE: { retry: false, meaning: 'over the size limit' },
  RATE_LIMITED: { retry: true, meaning: 'too much at once' },
  OVERLOADED: { retry: true, meaning: 'the server or its store can not take it now' },
  INTERNAL_ERROR: { retry: true, meaning: 'a fault of the server' },
} as const satisfies Record<string, { retry: boolean; meaning: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** Whether sending the same again can help: as the fault says, else as its code does. Apart from it, as no client needs this. */
export function mayRetry({ code, retry }: { readonly code: ErrorCode; readonly retry: boolean | undefined }): boolean {
  return retry ?? errorCodes[code].retry;
}

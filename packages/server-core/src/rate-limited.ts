import { type CloseCode, Fault } from '@haip/protocol';

/** Too much at once, with how long to wait: what only a server says, so that no browser loads it. */
export class RateLimited extends Fault {
  readonly retryAfterMs: number | undefined;

  constructor(expected: string, retryAfterMs: number | undefined, close?: CloseCode) {
    super('RATE_LIMITED', { expected, close });
    this.retryAfterMs = retryAfterMs;
  }
}

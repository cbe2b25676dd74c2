// Who may run a transaction's agent: one holder at a time, under a fence that only rises. Pure. Spec: §4, invariant 13.

import type { LogRow } from './log-state.ts';
import type { Answers, LeaseWork } from './works.ts';

/** Gives the lease to who asks unless another one has it. Writes on `log`. */
export function takeLease(log: LogRow, { holder, ttlMs }: LeaseWork, now: number): Answers['lease'] {
  if (log.holder !== holder) {
    if (log.leaseUntil > now) return null;
    log.fence++;
    log.holder = holder;
  }
  log.leaseUntil = now + ttlMs;
  return { fence: log.fence, record: log.leaseRecord };
}

// What goes from the front of a log's window: by number, by bytes or by time, whichever is first; never an open stream,
// and a torn text only as a whole. Pure: looks at the first entries and says where the window begins. Spec: §4.

import { type LogRow, type LogState, OVERHEAD, type SubjectState } from './log-state.ts';
import type { WindowLimits } from './window-limits.ts';

/** An entry of the window, as far as trimming goes. */
export interface Slot {
  readonly position: number;
  /** When it came, in ms of the store's time. */
  readonly at: number;
  readonly size: number;
  /** The stream it is a piece of, as it stands now. */
  readonly stream: SubjectState | null;
}

/** The window as it is to be. */
export interface TrimPlan {
  first: number;
  messages: number;
  bytes: number;
  frontAt: number | null;
  /** Streams that lose entries, and how many they keep. */
  readonly entriesLeft: Map<SubjectState, number>;
}

/** Whether there may be something to trim: else nothing needs to be looked at. */
export function mayTrim(log: LogState, limits: WindowLimits, now: number): boolean {
  const { messages, bytes, frontAt } = log;
  if (frontAt === null) return false;
  return messages > limits.windowSize || bytes > limits.maxBytes || now - frontAt >= limits.windowTimeMs;
}

/**
 * Plans what goes. Undefined when more of the log must be seen to say.
 *
 * @param slots the first entries of the window, in order.
 * @param isAll whether these are all there are.
 */
export function planTrim(
  log: LogState,
  limits: WindowLimits,
  now: number,
  slots: readonly Slot[],
  isAll: boolean,
): TrimPlan | undefined {
  const { first, messages, bytes, frontAt } = log;
  const plan: TrimPlan = { first, messages, bytes, frontAt, entriesLeft: new Map() };
  const isYoung = ({ at }: Slot): boolean => now - at < limits.windowTimeMs;
  for (let front = 0; ; ) {
    const slot = slots[front];
    if (slot === undefined) {
      plan.frontAt = null;
      return isAll ? plan : undefined;
    }
    plan.frontAt = slot.at;
    const isHeavy = plan.bytes > limits.maxBytes && (!isAll || front + 1 < slots.length);
    const isFull = isHeavy || plan.messages > limits.windowSize;
    if (!isFull && isYoung(slot)) return plan;
    const end = unitEnd(log, slots, front, isAll);
    if (end === 'more') return undefined;
    if (end === 'open') {
      // Somebody could hold a stream open for ever: what is kept is bounded all the same.
      if (!isHeavy) return plan;
      drop(plan, slot);
      front++;
      continue;
    }
    const last = slots[end] as Slot;
    if (!isFull && isYoung(last)) {
      plan.frontAt = last.at;
      return plan;
    }
    while (front <= end) drop(plan, slots[front++] as Slot);
  }
}

/** The last place that goes when `front` does; `open` while an open stream stands in the way. */
function unitEnd(log: LogState, slots: readonly Slot[], front: number, isAll: boolean): number | 'open' | 'more' {
  let to = slots[front]?.position ?? 0;
  for (let i = front; ; i++) {
    const slot = slots[i];
    if (slot === undefined) return isAll || (slots[i - 1]?.position ?? 0) >= to ? i - 1 : 'more';
    if (slot.position > to) return i - 1;
    const { stream } = slot;
    if (stream === null || stream.state === 'whole') continue;
    // The end of the transaction is the end of everything still open.
    if (stream.state === 'open' && log.endedAt === null) return 'open';
    to = Math.max(to, stream.last);
  }
}

/**
 * Whether ids and subjects that are old enough are to be forgotten now. Every so often only: a store looks at all there
 * are of the log. The window's begin is another matter and does not count.
 */
export function mayForget(
  { tidiedAt, lastAt }: LogRow,
  { keyTtlMs, windowTimeMs }: WindowLimits,
  now: number,
): boolean {
  if (now - tidiedAt < keyTtlMs / 16) return false;
  // Else nothing came since all of it was forgotten.
  return tidiedAt <= lastAt + Math.max(keyTtlMs, windowTimeMs);
}

function drop(plan: TrimPlan, { position, size, stream }: Slot): void {
  plan.first = position + 1;
  plan.bytes -= size + OVERHEAD;
  if (stream === null) {
    plan.messages--;
    return;
  }
  const left = (plan.entriesLeft.get(stream) ?? stream.entries) - 1;
  plan.entriesLeft.set(stream, left);
  if (left === 0) plan.messages--;
}

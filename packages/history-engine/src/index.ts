export { type HistoryEngine, historyOver } from './engine-history.ts';
export { type DraftRow, type EntryRow, entryOf, LIST_PAGE, pageOf, recordOf, rowOf } from './entry-rows.ts';
export {
  type AppendPlan,
  judgeDrafts,
  type Known,
  onceKey,
  type Place,
  type StoredRow,
  subjectKeys,
  type TakenRow,
  takeStored,
} from './judge-drafts.ts';
export { LocalBackplane } from './local-backplane.ts';
export { emptyLog, type LogRow, type LogState, OVERHEAD, type SubjectState } from './log-state.ts';
export { mayForget, mayTrim, planTrim, type Slot, type TrimPlan } from './plan-trim.ts';
export { placeOf, REVOKED_FOR_MS, readPlace, serialOf } from './revocations.ts';
export { takeLease } from './take-lease.ts';
export {
  type Duration,
  readWindowLimits,
  type WindowLimits,
  type WindowOptions,
  wholeNumber,
} from './window-limits.ts';
export {
  type Answer,
  type Answers,
  type AppendWork,
  type CompactWork,
  type CreateWork,
  type Creation,
  type LeaseWork,
  leaseRecordOf,
  type RevokeWork,
  type SaveLeaseWork,
  type Work,
} from './works.ts';

export { type AppState, appStates } from './app.ts';
export type { Invariant, Violation } from './checker/verdicts.ts';
export { Coverage } from './coverage.ts';
export { type FaultName, faultNames, linkFaults } from './faults.ts';
export {
  type LinkFactory,
  type LinkHold,
  type LinkOptions,
  orderedLink,
  type SimulatedLink,
  type Way,
} from './ordered-link.ts';
export type {
  HttpHandler,
  HttpKind,
  SimulatedClient,
  SimulatedClientOptions,
  SimulatedClientState,
  SimulatedCursor,
  SimulatedParts,
  SimulatedServer,
  SimulatedServerOptions,
  SimulatedStoreOptions,
  SimulatedTransaction,
} from './parts.ts';
export { type SimulateOptions, type SimulationReport, simulate } from './simulate.ts';
export { virtualTimers } from './virtual-timers.ts';

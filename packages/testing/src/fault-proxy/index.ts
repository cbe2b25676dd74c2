export type { FaultLink } from './fault-link.ts';
export { type FaultProxy, type FaultProxyOptions, faultProxy } from './fault-proxy.ts';
export type { CutKind, Direction, LinkFaults, PipeFaults } from './faults.ts';

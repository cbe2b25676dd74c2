export { type FakeClock, type FakeClockOptions, fakeClock } from './fake-clock.ts';
export type { HistoryLaw, HistoryLawContext, HistoryStoreSupports, StoreOptions } from './history-laws/context.ts';
export {
  type HistoryStoreSuiteOptions,
  historyStoreLaws,
  historyStoreSuite,
  runHistoryLaw,
} from './history-store-suite.ts';
export { type LateStore, type LateStoreKnobs, lateStore } from './late-store.ts';
export { type Direction, type MemoryLink, type MemoryLinkOptions, memoryLink } from './memory-link.ts';
export { type MemoryTransport, type MemoryTransportOptions, memoryTransport } from './memory-transport.ts';
export {
  type PlainV1Client,
  type PlainV1ClientOptions,
  type PlainV1Server,
  type PlainV1ServerOptions,
  plainV1Client,
  plainV1Server,
} from './plain-v1.ts';
export { type RawEnvelope, type RawPeer, rawPeer } from './raw-peer.ts';
export { settle } from './settle.ts';
export { type SharedStore, sharedStore } from './shared-store.ts';
export type { OpenTransport, TransportLaw, TransportSupports } from './transport-laws/context.ts';
export { type TransportSuiteOptions, transportLaws, transportSuite } from './transport-suite.ts';

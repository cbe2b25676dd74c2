export { Endpoint, type EndpointOptions, type LinkKind } from './endpoint.ts';
export type { GateOptions } from './gate.ts';
export { type HttpServer, type MountOptions, mount } from './mount.node.ts';

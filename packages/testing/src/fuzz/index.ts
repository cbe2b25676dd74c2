export { type FuzzCodecOptions, type FuzzedCodec, fuzzCodec } from './fuzz-codec.ts';
export { type FuzzServerOptions, fuzzServer } from './fuzz-server.ts';
export { type FuzzOptions, type FuzzReport, type FuzzViolation, fuzzLine } from './report.ts';

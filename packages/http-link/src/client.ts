export { ClientLink, type LinkOptions, type StreamFormat } from './client-link.ts';
export { readControl } from './close-line.ts';
export { lineReader } from './line-reader.ts';

import { base64Length } from './base64.ts';

export interface CodecLimits {
  /** Longest text envelope in bytes. Default 262,144; hard cap 16 MiB. */
  readonly maxTextBytes: number;
  /** Most raw bytes behind one envelope. Default 1,048,576. */
  readonly maxBinaryBytes: number;
  /** Deepest nesting, the envelope itself being level 1. Default 32. */
  readonly maxDepth: number;
  /** Most keys in one object. Default 256. */
  readonly maxKeys: number;
}

export const defaultCodecLimits: CodecLimits = {
  maxTextBytes: 256 * 1024,
  maxBinaryBytes: 1024 * 1024,
  maxDepth: 32,
  maxKeys: 256,
};

/** The longest text of an envelope on a link without binary frames: bytes are in it there, as base64. */
export function longestText({ maxTextBytes, maxBinaryBytes }: CodecLimits): number {
  return maxTextBytes + base64Length(maxBinaryBytes);
}

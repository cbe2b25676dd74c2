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

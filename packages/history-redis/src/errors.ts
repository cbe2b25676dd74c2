/** Redis is away, or not fit to be written to. What was underway may have been done or not. */
export class RedisUnavailable extends Error {
  /** @param address without user and password. */
  constructor(address: string, reason: string, cause?: unknown) {
    super(`history: Redis at ${address} cannot be used (${reason}); the same may be tried again`, { cause });
    this.name = 'RedisUnavailable';
  }
}

/** Redis answered with an error, say that it is full. */
export class RedisRefused extends Error {
  constructor(reason: string, cause: unknown) {
    super(`history: Redis refused (${reason}); the same may be tried again`, { cause });
    this.name = 'RedisRefused';
  }
}

/** New message, session and transaction ids, given from outside: UUID v4 unless a test wants others. */
export type Ids = () => string;

/** A number from 0 up to, but not including, 1, given from outside. */
export type Random = () => number;

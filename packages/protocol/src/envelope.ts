import type { JsonValue } from './json.ts';

/** Who speaks. Other names match `[A-Za-z0-9_-]{1,128}`. */
export const channels = { user: 'USER', agent: 'AGENT', system: 'SYSTEM' } as const;

/**
 * One message on the wire. The same on every transport. Spec: §1.
 *
 * `seq` is a position in the transaction's log on an entry, the connection's own count from client to server, and
 * `"0"` on everything else. All numbers of protocol order are decimal strings.
 */
export interface Envelope<Type extends string = string, Payload = JsonValue> {
  readonly id: string;
  readonly transaction: string | null;
  readonly session: string;
  readonly seq: string;
  readonly ts: string;
  readonly channel: string;
  readonly type: Type;
  readonly payload: Payload;
  /** First position this frame covers, when it is not `seq` itself: merged parts and position notices. */
  readonly from_seq?: string | undefined;
  /** Everything this connection sent up to here is settled. */
  readonly ack?: string | undefined;
  /** How many raw bytes follow this envelope. */
  readonly bin_len?: number | undefined;
  readonly bin_mime?: string | undefined;
  /** Protocol major. */
  readonly pv?: number | undefined;
  /** An unknown type or field is an error, not something to ignore. */
  readonly crit?: boolean | undefined;
  readonly run_id?: string | undefined;
  readonly thread_id?: string | undefined;
  /** The id of the message this one answers. */
  readonly related_id?: string | undefined;
}

/** The envelope's fields, in the order they are written. */
export const envelopeFields: readonly (keyof Envelope)[] = [
  'id',
  'transaction',
  'session',
  'seq',
  'ts',
  'channel',
  'type',
  'payload',
  'from_seq',
  'ack',
  'bin_len',
  'bin_mime',
  'pv',
  'crit',
  'run_id',
  'thread_id',
  'related_id',
];

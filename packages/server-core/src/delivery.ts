// In which frames a reader is given an entry. A peer with the transaction log gets each entry, its own as a receipt;
// a plain v1 peer gets what it knows (plain-delivery.ts). Never reads, never waits. Spec: §2, §3, §4.

import type { Frame } from '@haip/protocol';
import type { EntryFrame, LoggedEntry } from './logged-entry.ts';
import type { Outbound } from './outbound.ts';

/** How an entry stands to the reader it is for, and the way to that reader. */
export interface Standing {
  /** Everything from this position's successor on was sent to the reader: nothing was compacted or left out. */
  readonly wholeSince: number;
  /** Sends a frame of the entry. */
  give(frame: EntryFrame): void;
  /** Sends what goes in place of the entry and needs no window. */
  tell(frame: Frame): void;
}

export interface Delivery {
  /** Whether the peer is told of positions that are stepped over. */
  readonly notices: boolean;
  /** Whether parts that the peer gets may come several in one frame. */
  readonly mergesParts: boolean;
  /** Whether the reader is to get a frame of the entry itself: a receipt or a notice in its place needs no window. */
  needsWindow(logged: LoggedEntry, own: boolean, wholeSince: number): boolean;
  /**
   * Sends an entry in no, one or more frames. False: the reader steps over it.
   *
   * @param own stored by an envelope of this very connection
   */
  deliver(logged: LoggedEntry, own: boolean, reader: Standing): boolean;
}

/** For peers that keep the log's rules. */
export class LogDelivery implements Delivery {
  readonly notices = true;
  readonly mergesParts: boolean;
  readonly #outbound: Outbound;
  readonly #transaction: string;
  readonly #binary: boolean;
  readonly #events: ReadonlySet<string> | undefined;

  constructor(outbound: Outbound, transaction: string, binary: boolean, events: ReadonlySet<string> | undefined) {
    this.#outbound = outbound;
    this.#transaction = transaction;
    this.#binary = binary;
    this.#events = events;
    this.mergesParts = this.#takes('MESSAGE_PART');
  }

  needsWindow(logged: LoggedEntry, own: boolean, wholeSince: number): boolean {
    return !(own && isReceipt(logged, wholeSince)) && this.#takes(logged.entry.type);
  }

  deliver(logged: LoggedEntry, own: boolean, reader: Standing): boolean {
    const { entry } = logged;
    if (own && isReceipt(logged, reader.wholeSince)) {
      reader.tell(this.#outbound.receipt(this.#transaction, entry));
      return true;
    }
    if (!this.#takes(entry.type)) return false;
    reader.give(isShort(logged, reader.wholeSince) ? logged.shortFrame() : logged.frame(this.#binary));
    return true;
  }

  #takes(type: string): boolean {
    return this.#events === undefined || this.#events.has(type);
  }
}

/** An end whose beginning was compacted before the reader came to it brings the text to its author, too. */
function isReceipt(logged: LoggedEntry, wholeSince: number): boolean {
  return logged.entry.type !== 'MESSAGE_END' || isShort(logged, wholeSince);
}

/** True for the end of a stream of which the reader was sent the beginning and everything after it. */
function isShort({ entry }: LoggedEntry, wholeSince: number): boolean {
  if (entry.type !== 'MESSAGE_END') return false;
  const { start_seq: start } = entry.payload as { start_seq: string };
  return Number(start) > wholeSince;
}

// One connection's windows, both ways, by transaction and channel: what the client allows each reader, and what it has
// used of what it is allowed itself. Exists only for a client that offers flow control. Never reads, never stores.
// Spec: §5.2.

import {
  type Envelope,
  Fault,
  type FlowCredit,
  isJsonObject,
  type JsonObject,
  ReceiveWindow,
  SendWindows,
} from '@haip/protocol';
import { keepsOrder } from './access.ts';
import { channelsOf, type KnownUser } from './authentication.ts';
import type { Lane } from './lane.ts';
import type { Outbound } from './outbound.ts';

/** What says in which window a message is counted. */
export type Countable = Pick<Envelope, 'type' | 'transaction' | 'channel'>;

/** What windows need of the session. */
export interface FlowOwner {
  readonly user: KnownUser;
  readonly outbound: Outbound;
}

/** Where a message stands that a window counts. */
export interface Arrival {
  /** It was sent beyond the window. */
  readonly beyond: boolean;
  /** It waits no more. */
  taken(): void;
}

const tooManyChannels = new Fault('PROTOCOL_VIOLATION', { expected: 'fewer channels named in flow control' });

export class Flow {
  readonly #owner: FlowOwner;
  /** What holds for each transaction, those to come included. */
  readonly #each: SendWindows;
  /** What a client may send on one channel of one transaction. */
  readonly #allowed: FlowCredit;

  constructor(owner: FlowOwner, initial: FlowCredit, allowed: FlowCredit) {
    this.#owner = owner;
    this.#each = new SendWindows(initial);
    this.#allowed = allowed;
  }

  /** What the client allows a lane's reader. */
  windowsOf(lane: Lane): SendWindows {
    lane.sending ??= this.#each.copy();
    return lane.sending;
  }

  /**
   * Takes FLOW_UPDATE, PAUSE_CHANNEL or RESUME_CHANNEL, and wakes the readers whose windows it changed.
   *
   * @param lanes the one it names, or all
   */
  change(envelope: Envelope, lanes: Iterable<Lane>): Fault | undefined {
    const payload: JsonObject = isJsonObject(envelope.payload) ? envelope.payload : {};
    const channel = payload['channel'] as string | undefined;
    const changed = [...lanes];
    const all = changed.map((lane) => this.windowsOf(lane));
    if (envelope.transaction === null) all.push(this.#each);
    if (channel !== undefined && !all.every((windows) => windows.mayName(channel))) return tooManyChannels;
    for (const windows of all) adjust(windows, envelope.type, channel, payload);
    for (const { participation } of changed) participation?.reader?.wake();
    return undefined;
  }

  /** A message that goes to its log at once. It is never beyond its window, since nothing waits before it. */
  pass(lane: Lane, { type, channel }: Envelope, size: number): void {
    if (!keepsOrder(type)) return;
    const window = this.#windowOf(lane, channel, size);
    window?.arrive(size);
    if (window?.taken(size)) this.#giveBack(lane, channel, window);
  }

  /** A message that must wait in its lane. Undefined when no window counts it. */
  arrive(lane: Lane, { type, channel }: Envelope, size: number): Arrival | undefined {
    if (!keepsOrder(type)) return undefined;
    const window = this.#windowOf(lane, channel, size);
    if (window === undefined) return undefined;
    const beyond = !window.arrive(size);
    const taken = (): void => {
      if (window.taken(size)) this.#giveBack(lane, channel, window);
    };
    return { beyond, taken };
  }

  /** A message that never gets as far as a lane: the client counted it, and has it back. */
  return({ type, transaction, channel }: Countable, size: number): void {
    if (transaction !== null && keepsOrder(type)) this.#grant(transaction, channel, { messages: 1, bytes: size });
  }

  /** The lane is given up: a later one in its place begins with whole windows, so the client gets the rest of these. */
  settleUp(lane: Lane): void {
    if (lane.receiving === undefined) return;
    for (const [channel, window] of lane.receiving) this.#giveBack(lane, channel, window);
  }

  /** A channel that this user may not write on has no window: what comes on it is given back and refused. */
  #windowOf(lane: Lane, channel: string, size: number): ReceiveWindow | undefined {
    const known = lane.receiving?.get(channel);
    if (known !== undefined) return known;
    if (!channelsOf(this.#owner.user).includes(channel)) {
      this.#grant(lane.transaction, channel, { messages: 1, bytes: size });
      return undefined;
    }
    const window = new ReceiveWindow(this.#allowed);
    lane.receiving ??= new Map();
    lane.receiving.set(channel, window);
    return window;
  }

  #giveBack({ transaction }: Lane, channel: string, window: ReceiveWindow): void {
    const credit = window.giveBack();
    if (credit !== undefined) this.#grant(transaction, channel, credit);
  }

  #grant(transaction: string, channel: string, { messages, bytes }: FlowCredit): void {
    const payload = { channel, add_messages: messages, add_bytes: bytes };
    this.#owner.outbound.say({ type: 'FLOW_UPDATE', transaction, payload });
  }
}

function adjust(windows: SendWindows, type: string, channel: string | undefined, payload: JsonObject): void {
  if (type === 'FLOW_UPDATE') windows.grant(channel, countOf(payload['add_messages']), countOf(payload['add_bytes']));
  else if (channel !== undefined) windows.pause(channel, type === 'PAUSE_CHANNEL');
}

function countOf(value: JsonObject[string]): number {
  return typeof value === 'number' ? value : 0;
}

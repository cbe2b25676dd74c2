// A connection's messages in the order of their numbers: counts them, answers what breaks the grammar, and says what is
// settled. Passes the rest on and knows nothing of what is in them. Spec: §3.

import {
  type CloseCode,
  checkFromClient,
  currentName,
  type Envelope,
  type EventType,
  eventType,
  eventTypes,
  Fault,
  type Incoming,
  judgeNumber,
  type Received,
  readDecimal,
} from '@haip/protocol';
import type { ServerContext } from './context.ts';
import { ErrorBudget } from './error-budget.ts';
import type { Countable } from './flow.ts';
import type { Outbound } from './outbound.ts';
import type { Settlement } from './settlement.ts';
import { soon } from './soon.ts';

/** What an intake tells the session it belongs to. */
export interface IntakeOwner {
  readonly context: ServerContext;
  readonly outbound: Outbound;
  /** False once the connection has ended: nothing more is said then. */
  readonly isOpen: boolean;
  /** A message of a known type with a payload that fits. `limited`: it is too much, why it is refused unless stored. */
  route(received: Received, event: EventType, limited: Fault | undefined): void;
  /** A message for the log whose payload does not fit. */
  spoilt(message: Countable, size: number): void;
  close(code: CloseCode, reason: string): void;
}

export class Intake {
  readonly #owner: IntakeOwner;
  readonly #settlement: Settlement;
  /** Whether the peer counts: a plain v1 one does not. */
  readonly #counts: boolean;
  #budget: ErrorBudget | undefined;
  #acknowledging = false;

  /** Begins after the HAI, number 1, which is settled by its answer. */
  constructor(owner: IntakeOwner, settlement: Settlement, counts: boolean) {
    this.#owner = owner;
    this.#settlement = settlement;
    this.#counts = counts;
    settlement.take(1);
    settlement.settle(1);
  }

  /** @param limited set when the connection sends too much. */
  take(incoming: Incoming, limited?: Fault): void {
    if (incoming instanceof Fault) return this.#receiveFault(incoming);
    const { envelope } = incoming;
    if (this.#counts && !this.#count(envelope.seq, envelope.id)) return;
    const event = eventType(envelope.type);
    if (event === undefined) return this.#unknown(incoming, limited);
    const fault = checkFromClient(envelope, event);
    if (fault === undefined) return this.#owner.route(incoming, event, limited);
    if (event.stored) this.#owner.spoilt(envelope, incoming.size);
    this.reject(envelope, fault);
  }

  /** Takes a message's number. False when there is nothing to do with the message. */
  #count(seq: string, id: string | undefined): boolean {
    const number = readDecimal(seq);
    const { taken } = this.#settlement;
    const verdict = judgeNumber(taken, number);
    if (verdict === 'take') {
      this.#settlement.take(number);
      return true;
    }
    if (verdict === 'repeat') {
      this.#settlement.repeat();
      this.#acknowledgeSoon();
    } else {
      const expected = String(taken + 1);
      this.#owner.outbound.refuse(new Fault('SEQ_VIOLATION', { expected, got: 'a higher number' }), id);
    }
    return false;
  }

  #receiveFault(fault: Fault): void {
    const isCounted = this.#counts && fault.seq !== undefined;
    if (isCounted && !this.#count(fault.seq, fault.relatedId)) return;
    this.#owner.outbound.refuse(fault);
    if (isCounted) {
      const { spent, transaction } = fault;
      if (spent) this.#owner.spoilt({ ...spent, transaction }, spent.size);
      this.#settlement.settle(this.#settlement.taken);
      this.#acknowledgeSoon();
    }
    if (fault.close !== undefined) this.#owner.close(fault.close, fault.code);
    else this.#spend(fault);
  }

  #spend({ code }: Fault): void {
    if (code !== 'PROTOCOL_VIOLATION' && code !== 'UNSUPPORTED_TYPE') return;
    this.#budget ??= new ErrorBudget(this.#owner.context.limits.maxProtocolErrors);
    if (!this.#budget.spend(this.#owner.context.clock.monotonic())) this.#owner.close(1008, 'too many protocol errors');
  }

  /** An old name is read as what it is called today. Else ignored, unless its sender says that it must not be. */
  #unknown({ envelope, bytes, size }: Received, limited?: Fault): void {
    const type = currentName(envelope.type);
    if (type !== undefined) {
      const renamed = { ...envelope, type };
      const event = eventTypes[type];
      const fault = checkFromClient(renamed, event);
      if (fault === undefined) return this.#owner.route({ envelope: renamed, bytes, size }, event, limited);
      this.#owner.spoilt(renamed, size);
      return this.reject(envelope, fault);
    }
    if (envelope.crit !== true) return this.settle(envelope);
    this.reject(envelope, new Fault('UNSUPPORTED_TYPE', { expected: 'a known type', got: 'an unknown one' }));
  }

  /** Answers a message with an ERROR. */
  reject(envelope: Envelope, fault: Fault): void {
    if (!this.#owner.isOpen) return;
    this.#owner.outbound.refuse(fault, envelope.id, envelope.transaction);
    this.settle(envelope);
    this.#spend(fault);
  }

  /** A message is in the log, was acted on, or was answered. */
  settle(envelope: Envelope): void {
    if (!this.#counts) return;
    this.#settlement.settle(readDecimal(envelope.seq));
    this.#acknowledgeSoon();
  }

  /** After whatever this turn of the event loop still writes, so that the `ack` rides along. */
  #acknowledgeSoon(): void {
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    soon(this.#acknowledge);
  }

  readonly #acknowledge = (): void => {
    this.#acknowledging = false;
    if (this.#owner.isOpen) this.#owner.outbound.acknowledge();
  };
}

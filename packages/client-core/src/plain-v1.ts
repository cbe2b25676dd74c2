// Lets a client talk to a plain v1 server, which keeps no log: stands between the two, numbers what comes as a log would,
// and answers itself what such a server does not know. The rest of the client knows nothing of v1, so that only pages
// that pass this load it. A server that keeps a log is left alone. Spec: §2.4.

import {
  type CloseCode,
  type Connection,
  type DialOptions,
  type Envelope,
  entryTypes,
  Fault,
  type Frame,
  type Incoming,
  type JsonObject,
  type JsonValue,
  type Transport,
} from '@haip/protocol';

/** A transport to a server that may be a plain v1 one: `transports: [plainV1(webSocket({ url }))]`. */
export function plainV1(transport: Transport): Transport {
  return {
    name: transport.name,
    dial: async (options, signal) => new PlainConnection(await transport.dial(options, signal), options.logger),
  };
}

/** Ends with the connection, and so do the transactions. */
const lost = 'TRANSACTION_NOT_FOUND';

class PlainConnection implements Connection {
  readonly supports: Connection['supports'];
  readonly closed: Connection['closed'];
  readonly #link: Connection;
  readonly #logger: DialOptions['logger'];
  /** Known by the server's HAI. */
  #isPlain = false;
  /** The transactions that the client's HAI wants to go on with. */
  #resumed: readonly JsonObject[] = [];
  /** The last position in each transaction. */
  readonly #positions = new Map<string | null, number>();
  /** The reference ids of the STARTs without an answer, by their ids. */
  readonly #starts = new Map<string, string | null>();
  /** What was written so far of the client's streams, by message id: it goes as one message. */
  readonly #streams = new Map<JsonValue | undefined, string>();
  /** The ids of the client's messages: such a server sends them back under these. */
  readonly #own = new Set<string>();
  /** What the client has yet to take. */
  #batch: Incoming[] = [];
  #wake = () => {};
  #makeRoom = () => {};

  constructor(link: Connection, logger: DialOptions['logger']) {
    this.supports = link.supports;
    this.closed = link.closed;
    this.#link = link;
    this.#logger = logger;
  }

  get heard(): number {
    return this.#link.heard;
  }

  probe(): void {
    this.#link.probe();
  }

  close(code: CloseCode, reason?: string): void {
    this.#link.close(code, reason);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Incoming[], void, undefined> {
    let isOver = false;
    const reading = this.#read().finally(() => {
      isOver = true;
      this.#wake();
    });
    for (;;) {
      const batch = this.#batch;
      if (batch.length > 0) {
        this.#batch = [];
        yield batch;
        this.#makeRoom();
      } else if (isOver) {
        return reading;
      } else {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      }
    }
  }

  send(frame: Frame): void | Promise<void> {
    const envelope: Envelope = JSON.parse(frame.text);
    if (envelope.type === 'HAI') this.#resumed = ((envelope.payload as JsonObject)['resume'] ?? []) as JsonObject[];
    return this.#isPlain ? this.#write(envelope, frame) : this.#link.send(frame);
  }

  /** Sends what a plain v1 server knows, in its words, and does the rest of what it would have to do. */
  #write(envelope: Envelope, frame: Frame): void | Promise<void> {
    const { type, id, transaction } = envelope;
    switch (type) {
      case 'PING':
        this.#link.probe();
        return this.#link.send(frame);
      case 'TRANSACTION_START':
        this.#starts.set(id, transaction);
        return this.#link.send(frame);
      case 'PONG':
        return this.#link.send(frame);
      case 'FLOW_UPDATE':
      case 'PAUSE_CHANNEL':
      case 'RESUME_CHANNEL':
        return undefined;
      case 'TRANSACTION_JOIN':
        return this.#refuse(transaction, 'unsupported', id);
      case 'MESSAGE':
      case 'AUDIO':
        this.#own.add(id);
        return this.#store(envelope, frame);
      case 'MESSAGE_START':
      case 'MESSAGE_PART':
      case 'MESSAGE_END':
        return this.#store(envelope, this.#streamed(envelope, frame));
      case 'TRANSACTION_LEAVE':
      case 'TRANSACTION_END':
        this.#store(envelope);
        this.#positions.delete(transaction);
        return undefined;
      default:
        return this.#fail(envelope, 'unsupported');
    }
  }

  /** The frame of the one message that a stream becomes, when it is whole. */
  #streamed({ type, payload, ...envelope }: Envelope, frame: Frame): Frame | undefined {
    const { message_id: id, text = '' } = payload as JsonObject & { readonly text?: string };
    const written = (this.#streams.get(id) ?? '') + text;
    this.#streams.set(id, written);
    if (type !== 'MESSAGE_END') return undefined;
    this.#streams.delete(id);
    if (!written) return undefined;
    this.#own.add(String(id));
    return { ...frame, text: JSON.stringify({ ...envelope, id, type: 'MESSAGE', payload: written }) };
  }

  /** Gives an own message the next place, as a log would, and sends it if there is something to send. */
  #store(envelope: Envelope, frame?: Frame): void | Promise<void> {
    const { id, transaction, seq, ts } = envelope;
    const last = this.#positions.get(transaction);
    if (last === undefined) return this.#fail(envelope, lost);
    this.#positions.set(transaction, last + 1);
    // Written is all that anybody will ever know of it: no position says that it was stored.
    this.#say({ type: 'INFO', payload: { kind: 'ack' }, ack: seq });
    this.#say({ type: 'INFO', payload: { kind: 'receipt' }, transaction, seq: String(last + 1), ts, related_id: id });
    return frame && this.#link.send(frame);
  }

  #fail({ id, type, transaction }: Envelope, code: string): void {
    const payload = { code, message: `The server does not know ${type}.`, retry: false };
    this.#say({ type: 'ERROR', transaction, payload, related_id: id });
  }

  #refuse(transaction: string | null, code: string, id?: string): void {
    this.#say({ type: 'TRANSACTION_JOIN', transaction, payload: { verdict: 'refused', code }, related_id: id });
  }

  /** Says something in the server's place. */
  #say(fields: Partial<Envelope> & Pick<Envelope, 'type' | 'payload'>): void {
    const envelope = { id: '', session: '', channel: 'SYSTEM', transaction: null, seq: '0', ts: '0', ...fields };
    this.#put({ envelope, size: 0 });
  }

  #put(incoming: Incoming): void {
    this.#batch.push(incoming);
    this.#wake();
  }

  async #read(): Promise<void> {
    for await (const batch of this.#link) {
      for (const incoming of batch) this.#take(incoming);
      await new Promise<void>((go) => {
        this.#makeRoom = go;
        if (this.#batch.length === 0) go();
      });
    }
    for (const transaction of this.#positions.keys()) this.#refuse(transaction, lost);
  }

  #take(incoming: Incoming): void {
    if (incoming instanceof Fault) {
      // Without a log there is nothing to read again.
      if (this.#isPlain) this.#logger?.('warn', 'unreadable message', { code: incoming.code });
      else this.#put(incoming);
    } else if (incoming.envelope.type === 'HAI') {
      this.#meet(incoming.envelope);
    } else if (this.#isPlain) {
      const envelope = this.#translated(incoming.envelope);
      if (envelope) this.#put({ ...incoming, envelope });
    } else {
      this.#put(incoming);
    }
  }

  #meet(envelope: Envelope): void {
    const payload = envelope.payload as JsonObject;
    const capabilities = payload['capabilities'] as JsonObject | undefined;
    this.#isPlain = capabilities?.['transaction_log'] !== true;
    // It offers windows and never opens them again.
    const kept = { ...capabilities, transaction_log: true, flow_control: undefined };
    this.#put({
      envelope: this.#isPlain ? { ...envelope, payload: { ...payload, capabilities: kept } } : envelope,
      size: 0,
    });
    if (this.#isPlain) for (const { transaction } of this.#resumed) this.#refuse(String(transaction), lost);
  }

  /** What a plain v1 server says, in the words of one that keeps a log; undefined for what nobody here reads. */
  #translated(envelope: Envelope): Envelope | undefined {
    const { type, id, transaction, related_id, payload } = envelope;
    const fields = payload as JsonObject;
    if (type === 'TRANSACTION_START') {
      this.#positions.set(transaction, 0);
      return { ...envelope, seq: '0', related_id: this.#started(fields), payload: { ...fields, epoch: 'plain' } };
    }
    if (type === 'ERROR') {
      const code = fields['code'] === 'FAILED_AUTH' ? 'AUTHENTICATION_FAILED' : fields['code'];
      return { ...envelope, seq: '0', related_id: this.#started(fields, related_id), payload: { ...fields, code } };
    }
    if (!entryTypes.includes(type)) return { ...envelope, seq: '0' };
    const last = this.#positions.get(transaction);
    if (last === undefined) return undefined;
    this.#positions.set(transaction, last + 1);
    // An echo under an own id is another message; and all it sends bears the client's session, as if that had said it.
    const unlike = this.#own.delete(id) ? `${id}:echo` : id;
    return { ...envelope, seq: String(last + 1), id: unlike, session: 'server' };
  }

  /** The START that this answers. Its answers need not name one: then it is the oldest. */
  #started({ referenceId }: JsonObject, related?: string): string | undefined {
    const starts = [...this.#starts];
    const [id] = starts.find(([, reference]) => reference === referenceId) ?? starts[0] ?? [];
    const answered = related ?? id;
    if (answered) this.#starts.delete(answered);
    return answered;
  }
}

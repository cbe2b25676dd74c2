// Judges a flow of spec/vectors/flows by the rules alone, without a server: every envelope is sound, every client
// counts, every server keeps to the position rule. Says what is wrong in words. Shares no code with the cores.
import { closeCodes, type Envelope, errorCodes, Fault, fromBase64, isJsonObject, judgePosition } from '../src/index.ts';
import { read } from './vectors.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface FlowStep {
  readonly on?: string;
  readonly from?: 'client' | 'server';
  readonly envelope?: Fields;
  readonly bytes_base64?: string;
  readonly breaks_the_count?: boolean;
  /** The code that the codec or the registry refuses it with, on purpose. */
  readonly refused_as?: string;
  readonly until?: Fields;
  readonly settled?: string;
  readonly close?: number;
  readonly cut?: boolean;
  readonly agent?: Fields;
}

export interface Flow {
  readonly name: string;
  readonly about: string;
  readonly requirements: readonly string[];
  readonly plain?: boolean;
  readonly steps: readonly FlowStep[];
}

/** What a server leaves to be filled in is filled with something sound, so that the whole can be read. */
const soundDefaults: Fields = { id: 'any', session: 'any', ts: '1', channel: 'SYSTEM', seq: '0' };

const isPlaceholder = (value: unknown): value is string => typeof value === 'string' && /^\$[a-z]+$/.test(value);

/** The value with each placeholder replaced: numbers by a number, `$absent` by nothing, all else by a word. */
function filled(value: unknown, key = ''): unknown {
  if (value === '$absent') return undefined;
  if (isPlaceholder(value)) return ['first', 'last', 'seq', 'ts'].includes(key) ? '1' : value.slice(1);
  if (Array.isArray(value)) return value.map((item) => filled(item));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([name, inside]) => [name, filled(inside, name)] as const);
  return Object.fromEntries(entries.filter(([, inside]) => inside !== undefined));
}

function placeholdersIn(value: unknown): string[] {
  if (isPlaceholder(value)) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(placeholdersIn) : [];
}

interface Link {
  sent: number;
  ended: boolean;
  readonly ids: Set<string>;
  /** Per transaction: the last position taken, or undefined after one that only the server knows. */
  readonly read: Map<string, number | undefined>;
  readonly replaying: Set<string>;
}

class FlowJudge {
  readonly faults: string[] = [];
  readonly #flow: Flow;
  readonly #bound = new Set(['$any', '$absent']);
  readonly #links = new Map<string, Link>();

  constructor(flow: Flow) {
    this.#flow = flow;
    for (const [at, step] of flow.steps.entries()) {
      this.#judge(step, (what) => this.faults.push(`step ${at}: ${what}`));
    }
  }

  #link(name: string): Link {
    let link = this.#links.get(name);
    if (link === undefined) {
      link = { sent: 0, ended: false, ids: new Set(), read: new Map(), replaying: new Set() };
      this.#links.set(name, link);
    }
    return link;
  }

  #judge(step: FlowStep, fault: (what: string) => void): void {
    const { on, from, close, cut, settled, agent, envelope, until } = step;
    if (agent !== undefined) return;
    if (on === undefined) return fault('names no connection');
    const link = this.#link(on);
    if (link.ended) fault(`connection ${on} has ended`);
    if (cut === true || close !== undefined) link.ended = true;
    if (close !== undefined && !Object.hasOwn(closeCodes, close)) fault(`${close} is no close code`);
    if (settled !== undefined && Number(settled) > link.sent) fault(`settled ${settled} of ${link.sent} sent`);
    if (envelope !== undefined && from === 'client') this.#client(link, step, envelope, fault);
    else if (envelope !== undefined) this.#server(link, step, envelope, fault);
    else if (until !== undefined) this.#server(link, step, until, fault);
  }

  #sound(
    step: FlowStep,
    fields: Fields,
    from: 'client' | 'server',
    fault: (what: string) => void,
  ): Envelope | undefined {
    const envelope = read(JSON.stringify(filled({ ...(from === 'server' ? soundDefaults : {}), ...fields })), from);
    if (envelope instanceof Fault) {
      if (envelope.code === step.refused_as) return fields as unknown as Envelope;
      fault(`${envelope.code}: expected ${envelope.expected}, got ${envelope.got}`);
      return undefined;
    }
    const bytes = step.bytes_base64 === undefined ? undefined : fromBase64(step.bytes_base64);
    if (bytes?.length !== envelope.bin_len) fault(`bin_len ${envelope.bin_len} with ${bytes?.length} bytes`);
    return envelope;
  }

  #client(link: Link, step: FlowStep, fields: Fields, fault: (what: string) => void): void {
    const unbound = placeholdersIn(fields).filter((name) => !this.#bound.has(name));
    if (unbound.length > 0) fault(`${unbound.join(', ')}: nobody has said that yet`);
    const envelope = this.#sound(step, fields, 'client', fault);
    if (envelope === undefined) return;
    link.ids.add(envelope.id);
    if (envelope.type === 'REPLAY_REQUEST') link.replaying.add(String(envelope.transaction));
    if (this.#flow.plain === true) return;
    if ((envelope.seq === String(link.sent + 1)) === (step.breaks_the_count === true))
      fault(`number ${envelope.seq} after ${link.sent}`);
    if (step.breaks_the_count !== true) link.sent++;
  }

  #server(link: Link, step: FlowStep, fields: Fields, fault: (what: string) => void): void {
    for (const name of placeholdersIn(fields)) this.#bound.add(name);
    const envelope = this.#sound(step, fields, 'server', fault);
    if (envelope === undefined) return;
    const { type, seq, transaction, related_id } = envelope;
    const payload = isJsonObject(envelope.payload) ? envelope.payload : {};
    if (type === 'ERROR' && !Object.hasOwn(errorCodes, String(payload['code'])))
      fault(`${String(payload['code'])} is no error code`);
    if (seq === '0') {
      if (!['PING', 'ERROR'].includes(type) && !link.ids.has(String(related_id)))
        fault(`${type} answers nothing that was asked`);
      this.#moved(link, String(transaction), type, fields);
      return;
    }
    if (this.#flow.plain !== true) this.#positions(link, fields, envelope, fault);
  }

  /** Replies that set where reading begins, and the end of a page of replay. */
  #moved(link: Link, transaction: string, type: string, fields: Fields): void {
    const payload = fields['payload'] as Fields;
    if (type === 'TRANSACTION_START') link.read.set(transaction, 0);
    if (payload['verdict'] === 'resumed') link.read.set(transaction, Number(payload['seq']));
    if (payload['verdict'] === 'gap') {
      link.read.set(transaction, isPlaceholder(payload['first']) ? undefined : Number(payload['first']) - 1);
    }
    if (payload['kind'] === 'replayed') link.replaying.delete(transaction);
  }

  #positions(link: Link, fields: Fields, envelope: Envelope, fault: (what: string) => void): void {
    const transaction = String(envelope.transaction);
    const to = Number(envelope.seq);
    if (!link.read.has(transaction)) fault(`@${to} before any verdict`);
    const before = link.read.get(transaction);
    if (before === undefined || isPlaceholder(fields['seq'])) return;
    const verdict = judgePosition(before, Number(envelope.from_seq ?? to), to);
    if (verdict === 'take') link.read.set(transaction, to);
    else if (verdict === 'fault') fault(`@${to} after @${before}`);
    else if (!link.replaying.has(transaction)) fault(`@${to} again, and nobody asked for a replay`);
  }
}

/** What is wrong with a flow, in words; nothing when it is sound. */
export function faultsOf(flow: Flow): readonly string[] {
  return new FlowJudge(flow).faults;
}

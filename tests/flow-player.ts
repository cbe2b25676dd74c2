// Plays a flow of spec/vectors/flows against a server: says what the flow's clients say, compares what comes, fills in
// what the server chose. The rules of comparison are those of spec/vectors/README.md. Knows nothing of the cores.

import { memoryHistory } from '@haip/history-memory';
import { type Envelope, fromBase64, isJsonObject, type MessageWriter, type Tool, toBase64 } from '@haip/protocol';
import { HAIPServer } from '@haip/server-core';
import { fakeClock, type MemoryLink, memoryLink, type RawEnvelope, type RawPeer, rawPeer, settle } from '@haip/testing';

type Fields = Readonly<Record<string, unknown>>;

interface FlowStep {
  readonly on?: string;
  readonly from?: 'client' | 'server';
  readonly envelope?: Fields;
  readonly bytes_base64?: string;
  readonly until?: Fields;
  readonly settled?: string;
  readonly close?: number;
  readonly cut?: boolean;
  readonly agent?: { readonly start?: true; readonly part?: string; readonly end?: true; readonly done?: true };
}

export interface Flow {
  readonly name: string;
  readonly requirements: readonly string[];
  readonly users: Readonly<Record<string, { readonly id: string; readonly permissions: Record<string, string[]> }>>;
  readonly history?: { readonly window_size: number };
  readonly steps: readonly FlowStep[];
}

type Link = RawPeer & { readonly link: MemoryLink };

/** A tool that does what the flow says, step by step, while a message of a user waits for its answer. */
function pacedTool(): { tool: Tool; act(what: NonNullable<FlowStep['agent']>): Promise<void> } {
  let begun: (turn: Parameters<NonNullable<Tool['onMessage']>>[0]) => void;
  const turn = new Promise<Parameters<NonNullable<Tool['onMessage']>>[0]>((resolve) => {
    begun = resolve;
  });
  let done = (): void => {};
  const over = new Promise<void>((resolve) => {
    done = resolve;
  });
  let writer: MessageWriter | undefined;
  return {
    tool: {
      name: 'paced',
      onMessage(given) {
        begun(given);
        return over;
      },
    },
    async act({ start, part, end, done: ended }) {
      if (start) writer = await (await turn).stream();
      if (part !== undefined) await writer?.write(part);
      if (end) await writer?.end();
      if (ended) done();
      await settle();
    },
  };
}

class FlowPlayer {
  readonly #flow: Flow;
  readonly #server: HAIPServer;
  readonly #paced = pacedTool();
  readonly #links = new Map<string, Link>();
  readonly #bound = new Map<string, unknown>();

  constructor(flow: Flow) {
    this.#flow = flow;
    const clock = fakeClock();
    const windowSize = flow.history?.window_size ?? 1_000;
    this.#server = new HAIPServer({ history: memoryHistory({ clock, windowSize }), clock, logger: () => {} });
    this.#server.authenticate((auth) => {
      const user = flow.users[String(auth?.token)];
      return user === undefined ? null : { ...user, credits: 0 };
    });
    this.#server.registerTool({
      name: 'echo',
      onMessage: (turn) => turn.reply(turn.message.payload),
      onAudio: (turn, audio) => turn.replyAudio(audio),
    });
    this.#server.registerTool({ name: 'silent' });
    this.#server.registerTool(this.#paced.tool);
  }

  async play(): Promise<void> {
    for (const [at, step] of this.#flow.steps.entries()) {
      await this.#take(step).catch((error: unknown) => {
        throw new Error(`step ${at}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      });
    }
    await this.#server.close();
  }

  #link(name: string): Link {
    let link = this.#links.get(name);
    if (link === undefined) {
      const memory = memoryLink();
      void this.#server.accept(memory.server, { transport: 'memory', headers: {} });
      link = Object.assign(rawPeer(memory.client), { link: memory });
      this.#links.set(name, link);
    }
    return link;
  }

  async #take(step: FlowStep): Promise<void> {
    if (step.agent) return this.#paced.act(step.agent);
    const link = this.#link(step.on ?? '');
    if (step.cut === true) link.link.cut();
    else if (step.settled !== undefined) await this.#settled(link, Number(step.settled));
    else if (step.close !== undefined) await this.#closed(link, step.close);
    else if (step.until !== undefined)
      await link.until((came) => this.#differences(step.until as Fields, came).length === 0);
    else if (step.from === 'client') this.#say(link, step);
    else await this.#compare(link, step);
  }

  #say(link: Link, step: FlowStep): void {
    const bytes = step.bytes_base64 === undefined ? undefined : fromBase64(step.bytes_base64);
    void link.sendText(JSON.stringify(this.#filled(step.envelope)), bytes);
  }

  async #compare(link: Link, step: FlowStep): Promise<void> {
    const came = await link.until((envelope) => !isPassedOver(envelope));
    const differences = this.#differences(step.envelope as Fields, came);
    const bytes = came.bytes === undefined ? undefined : toBase64(came.bytes);
    if (bytes !== step.bytes_base64) differences.push(`bytes: expected ${step.bytes_base64}, got ${bytes}`);
    if (came.from_seq !== undefined && step.envelope?.['from_seq'] === undefined)
      differences.push('from_seq: not expected');
    if (differences.length > 0) throw new Error(`${differences.join('; ')}; in ${JSON.stringify(came)}`);
  }

  async #settled(link: Link, number: number): Promise<void> {
    await settle();
    const highest = Math.max(0, ...link.received.map(({ ack }) => Number(ack ?? 0)));
    if (highest < number) throw new Error(`expected an ack of ${number}, got ${highest}`);
  }

  async #closed(link: Link, code: number): Promise<void> {
    const end = await link.closed;
    if (end.code !== code) throw new Error(`expected the close ${code}, got ${end.code} ${end.reason}`);
  }

  /** What a client says, with the server's choices in place of their placeholders. */
  #filled(value: unknown): unknown {
    if (typeof value === 'string' && this.#bound.has(value)) return this.#bound.get(value);
    if (Array.isArray(value)) return value.map((item) => this.#filled(item));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, this.#filled(inside)]));
  }

  /** Where what came is not what was expected. New placeholders are bound only when nothing else differs. */
  #differences(expected: Fields, came: Envelope): string[] {
    const bound = new Map<string, unknown>();
    const differences: string[] = [];
    const compare = (wanted: unknown, found: unknown, path: string): void => {
      if (wanted === '$any') return;
      if (typeof wanted === 'string' && wanted.startsWith('$') && wanted !== '$absent' && !this.#bound.has(wanted)) {
        if (!bound.has(wanted)) bound.set(wanted, found);
        if (found === undefined || bound.get(wanted) !== found)
          differences.push(`${path}: expected ${wanted}, got ${String(found)}`);
        return;
      }
      if (isJsonObject(wanted)) {
        for (const [key, inside] of Object.entries(wanted))
          compare(inside, isJsonObject(found) ? found[key] : undefined, `${path}.${key}`);
        return;
      }
      const value = wanted === '$absent' ? undefined : this.#filled(wanted);
      if (JSON.stringify(value) !== JSON.stringify(found))
        differences.push(`${path}: expected ${JSON.stringify(value)}, got ${JSON.stringify(found)}`);
    };
    compare(expected, came, 'envelope');
    if (differences.length === 0) for (const [name, value] of bound) this.#bound.set(name, value);
    return differences;
  }
}

function isPassedOver({ type, payload }: RawEnvelope): boolean {
  return type === 'PING' || (type === 'INFO' && payload.kind === 'ack');
}

/** Plays a flow against a fresh server. Rejects at the first step that goes otherwise, with its number. */
export function playFlow(flow: Flow): Promise<void> {
  return new FlowPlayer(flow).play();
}

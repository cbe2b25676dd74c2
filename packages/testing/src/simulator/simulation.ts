// The machines, the people and the checker of one scenario, and the four acts of it.

import type { Envelope, LogLevel } from '@haip/protocol';
import { Accounts } from './accounts.ts';
import { App, type AppParts } from './app.ts';
import { Chance } from './chance.ts';
import { judgeAgreement, judgeCalm, judgeSeams, unrest } from './checker/at-rest.ts';
import { FenceWatch } from './checker/fence-watch.ts';
import { judgePaid } from './checker/paid.ts';
import { RightsWatch } from './checker/rights-watch.ts';
import { StoredLogs } from './checker/stored-logs.ts';
import { Verdicts } from './checker/verdicts.ts';
import type { Coverage } from './coverage.ts';
import { strike, type Victims } from './faults.ts';
import { type Line, Network } from './network.ts';
import type { SimulatedParts } from './parts.ts';
import { type Loss, People } from './people.ts';
import type { Scenario } from './scenario.ts';
import { ServerNode } from './server-node.ts';
import { calmWeather, type KeptLog, StoreNode } from './store-node.ts';
import { toolsOn } from './tools.ts';
import { Trace } from './trace.ts';
import { act } from './workload.ts';
import { Host, World } from './world.ts';

/**
 * How long after the last fault everything must be at rest: silence is noticed in 30 s, a lease lapses in 30 s, and a
 * tool that hangs costs 7 s a message.
 */
const REST_WITHIN_MS = 300_000;
/** After everybody left: a text that its author left open is closed after 5 min, and a lease lapses in 30 s. */
const GONE_WITHIN_MS = 600_000;

/** However long its store is silent. */
const CLOSED_WITHIN_MS = 30_000;

/** What a server may log as an error when neither a tool nor the store failed: nothing. */
const ownFailures: ReadonlySet<string> = new Set(['tool failed', 'trimmed unanswered']);

export class Simulation {
  readonly world = new World();
  readonly verdicts = new Verdicts(() => this.world.now);
  readonly trace: Trace;
  /** Applications that live. */
  readonly apps: App[] = [];
  /** Those and the ones that were reloaded. */
  readonly everybody: App[] = [];
  healedMs = 0;
  readonly #scenario: Scenario;
  readonly #parts: SimulatedParts;
  readonly #coverage: Coverage;
  readonly #outside: Host;
  readonly #logs: StoredLogs;
  readonly #store: StoreNode;
  readonly #network: Network;
  readonly #people: People;
  readonly #accounts: Accounts | undefined;
  readonly #rights: RightsWatch;
  readonly #fences: FenceWatch;
  readonly #nodes: ServerNode[] = [];
  /** Processes that were asked to end. */
  readonly #drained: Host[] = [];
  readonly #shared: string[] = [];
  readonly #workload: Chance;
  readonly #faults: Chance;
  readonly #appParts: AppParts;
  #epochs = 0;
  #healing = false;

  constructor(scenario: Scenario, parts: SimulatedParts, readable: boolean, coverage: Coverage) {
    const { seed, calm } = scenario;
    const { world, verdicts } = this;
    this.#scenario = scenario;
    this.#parts = parts;
    this.#coverage = coverage;
    this.trace = new Trace(() => world.now, readable);
    this.#outside = new Host(world, 'world');
    this.#logs = new StoredLogs(verdicts);
    this.#workload = new Chance(seed, 'workload');
    this.#faults = new Chance(seed, 'faults');
    const chance = new Chance(seed, 'store');
    this.#store = new StoreNode(
      world,
      this.#outside,
      this.#emptyStore(),
      scenario.nodes > 1,
      chance,
      new Chance(seed, 'words'),
      this.trace,
      this.#logs,
    );
    this.#store.weather = this.#usualWeather();
    this.#people = new People(() => world.now, scenario.credits ?? 1_000);
    this.#rights = new RightsWatch(this.#people, this.#logs, verdicts);
    this.#fences = new FenceWatch(verdicts, scenario.words.wordsLateMs, () => this.#store.words.lost);
    if (scenario.credits !== undefined) {
      this.#accounts = new Accounts(parts.ledger({ clock: this.#outside.clock }), this.#store);
    }
    this.#network = this.#makeNetwork(new Chance(seed, 'network'));
    const tools = new Chance(seed, 'tools');
    for (let at = 0; at < scenario.nodes; at++) {
      const node = new ServerNode(
        {
          world,
          trace: this.trace,
          parts,
          store: this.#store,
          limits: limitsOf(scenario),
          authenticate: this.#people.authenticate,
          accounts: this.#accounts,
          tools: (host) => toolsOn(host, tools, (...message) => this.#logs.wrote(...message)),
          logged: (level, event, fields) => this.#logged(level, event, fields),
        },
        `n${at + 1}`,
      );
      this.#nodes.push(node);
    }
    this.#appParts = {
      world,
      trace: this.trace,
      parts,
      network: this.#network,
      nodes: this.#nodes,
      kinds: kindsOf(scenario, parts),
      chance: this.#workload,
      logs: this.#logs,
      verdicts,
      windowMessages: scenario.windowMessages,
      clumsy: !calm && this.#workload.happens(0.2),
      code: (code) => coverage.count(`code ${code}`),
    };
  }

  async run(): Promise<void> {
    try {
      await this.#chaos();
      await this.#heal();
      await this.#judge();
      await this.#goAway();
      this.#settleUp();
    } catch (error) {
      this.verdicts.violated('20 total answers', `something threw: ${error instanceof Error ? error.stack : error}`);
    }
  }

  async #chaos(): Promise<void> {
    const { seed, apps, actions, chaosMs, faults, moves } = this.#scenario;
    for (let at = 0; at < apps; at++)
      this.#newApp(this.#workload.pick(['ada', 'bob', 'ada', 'bob', 'eve']), this.#workload.between(0, 50));
    for (let at = 0; at < apps * actions; at++) {
      this.#outside.after(this.#workload.between(0, chaosMs), () => {
        if (this.apps.length === 0) return;
        const app = this.#workload.pick(this.apps);
        app.host.enter();
        act(this.#workloadParts(), app);
      });
    }
    const moving = new Chance(seed, 'moves');
    for (let at = 0; at < moves; at++) this.#outside.after(moving.between(0, chaosMs), () => this.#move(moving));
    const names = [...faults];
    const strikes = names.length === 0 ? 0 : this.#faults.between(1, 2 + Math.min(8, names.length));
    for (let at = 0; at < strikes; at++) {
      const name = this.#faults.pick(names);
      this.#outside.after(this.#faults.between(20, chaosMs), () => this.#strike(name));
    }
    await this.#advance(chaosMs, 1_000);
  }

  /** Faults stop, and everything is given the time it is promised to need. */
  async #heal(): Promise<void> {
    this.#healing = true;
    this.#store.weather = this.#usualWeather();
    this.#network.refusing = 0;
    Object.assign(this.#network.posts, { lost: 0, twice: 0 });
    for (const { link } of this.#network.lines) {
      link.resume('up');
      link.resume('down');
    }
    for (const node of this.#nodes) node.start();
    this.#people.restoreAll();
    await this.#accounts?.fill(this.#people.names);
    for (const { client, connect, host } of this.apps) if (client.state.name === 'disconnected') host.after(0, connect);
    this.trace.note('world', 'heal');
    const since = this.world.now;
    const parts = { apps: this.apps, logs: this.#logs, verdicts: this.verdicts };
    for (let stepMs = 250; !this.verdicts.any; stepMs = Math.min(2_000, stepMs * 2)) {
      await this.world.advance(stepMs);
      const restless = unrest(parts) ?? this.#rights.late(this.#network.lines);
      this.healedMs = this.world.now - since;
      if (restless === undefined) return;
      if (this.healedMs < REST_WITHIN_MS) continue;
      this.verdicts.violated('19 liveness', `after ${this.healedMs / 1000} s ${restless}`);
    }
  }

  async #judge(): Promise<void> {
    if (this.verdicts.any) return;
    const parts = { apps: this.apps, logs: this.#logs, verdicts: this.verdicts };
    await judgeAgreement(parts, this.#store.inner);
    // A message that its author takes back between an ERROR and its retry has no body when its receipt comes after all.
    if (this.#store.failures === 0) judgeSeams(parts);
    for (const { sending } of this.everybody) sending.judgeDenials();
    if (this.#scenario.calm) judgeCalm(parts);
  }

  /** Everybody leaves; nothing of them may stay. Invariant 18. */
  async #goAway(): Promise<void> {
    if (this.verdicts.any) return;
    for (const { client, host } of this.apps) host.after(0, () => client.disconnect());
    await this.world.advance(0);
    for (let waitedMs = 0; waitedMs < GONE_WITHIN_MS && this.#left() !== undefined; waitedMs += 10_000) {
      await this.world.advance(10_000);
    }
    const left = this.#left();
    if (left !== undefined) this.verdicts.violated('18 bounded resources', left);
    for (const app of this.apps) {
      for (const { token, transaction } of app.sending.waiting) {
        this.verdicts.violated('5 settled implies stored', `${app.name} never heard of ${token} in ${transaction}`);
      }
    }
  }

  /** Now nothing is under way any more. Invariant 21. */
  #settleUp(): void {
    if (this.verdicts.any || this.#accounts === undefined) return;
    const { faults } = this.#scenario;
    const exactly = this.#store.failures === 0 && !faults.has('node crash') && !faults.has('store loss');
    judgePaid({ accounts: this.#accounts, logs: this.#logs, verdicts: this.verdicts, exactly });
  }

  #left(): string | undefined {
    for (const { name, server, host } of this.#nodes) {
      if (server.connections > 0) return `${name} has ${server.connections} connections of nobody`;
      if (server.transactions > 0) return `${name} holds ${server.transactions} transactions for nobody`;
      if (host.timers > 0) return `${name} has ${host.timers} timers for nobody`;
    }
    for (const { host, name } of this.apps) if (host.timers > 0) return `${name} left ${host.timers} timers`;
    for (const { alive, name, timers } of this.#drained) {
      if (alive && timers > 0) return `${name} has ${timers} timers after its end`;
    }
    return undefined;
  }

  #move(chance: Chance): void {
    if (this.apps.length === 0) return;
    const app = chance.pick(this.apps);
    this.#coverage.count(`move × ${app.state}`);
    app.host.enter();
    app.move(chance, chance.happens(0.2) ? chance.between(0, 400) : undefined);
  }

  /** Lets time pass until something is found. */
  async #advance(ms: number, stepMs: number): Promise<void> {
    for (let left = ms; left > 0 && !this.verdicts.any; left -= stepMs)
      await this.world.advance(Math.min(left, stepMs));
  }

  #strike(name: Parameters<typeof strike>[0]): void {
    const states = new Map(this.apps.map((app) => [app, app.state]));
    const hit = strike(name, this.#victims());
    this.trace.note('fault', name, hit.map((app) => app.name).join(' '));
    for (const app of hit) this.#coverage.count(`fault ${name} × ${states.get(app)}`);
  }

  #victims(): Victims {
    const network = this.#network;
    return {
      chance: this.#faults,
      apps: this.apps,
      nodes: this.#nodes,
      later: (delayMs, run) =>
        this.#outside.after(delayMs, () => {
          if (!this.#healing) run();
        }),
      lines: () => [...network.lines],
      cut: (line, side) => network.cut(line, side),
      silence: (line, way) => network.silence(line, way),
      refuseDials: (probability) => {
        network.refusing = probability;
      },
      posts: (change) => Object.assign(network.posts, change),
      weather: (change) => {
        this.#store.weather = { ...this.#store.weather, ...change };
      },
      crash: (node) => this.#crash(node),
      drain: (node, atOnce, isTold) => this.#drain(node, atOnce, isTold),
      start: (node) => node.start(),
      loseStore: (keep) => this.#loseStore(keep),
      reload: (app, user) => this.#reload(app, user),
      revoke: (user, loss) => this.#revoke(user, loss),
      restore: (user) => this.#people.restore(user),
    };
  }

  #crash(node: ServerNode): void {
    const { host } = node;
    node.crash();
    this.#network.processDied(host);
  }

  #drain(node: ServerNode, atOnce: boolean, isTold: boolean): void {
    const { host, server, name } = node;
    if (this.#drained.includes(host)) return;
    this.#drained.push(host);
    host.enter();
    const since = this.world.now;
    node.drain(atOnce, isTold).then(() => {
      if (!host.alive) return;
      if (node.host === host) node.start();
      const left = server.connections + server.transactions;
      if (left === 0 || this.world.now - since >= CLOSED_WITHIN_MS) return;
      this.verdicts.violated('18 bounded resources', `${name} was closed with ${left} connections and transactions`);
    });
  }

  #loseStore(keep: (log: KeptLog) => number): void {
    const kept: KeptLog[] = [];
    const gone: string[] = [];
    for (const [transaction, { record, now }] of this.#logs.transactions) {
      if (now === undefined) continue;
      const drafts = now.entries.map(({ draft }) => draft);
      // A server that lives reads on in what is there; only one that starts finds nothing.
      const count = Math.max(1, keep({ record, drafts }));
      if (count === 0) gone.push(transaction);
      else kept.push({ record, drafts: drafts.slice(0, count) });
    }
    // With it goes whose rights had ended: who had not heard of it never will.
    this.#rights.forget();
    // The store of the simulator answers at once when it is asked in person, unless it never does.
    void this.#store.lose(this.#emptyStore(), kept, gone);
  }

  #reload(app: App, user = app.user): void {
    const cursors = app.die();
    this.apps.splice(this.apps.indexOf(app), 1);
    const next = this.#newApp(user, this.#faults.between(0, 500));
    for (const { id, cursor } of cursors) next.join(id, cursor.epoch === '' ? undefined : cursor);
  }

  /** Somebody takes a user's rights, and tells one node after the other until one has done what is to be done. */
  #revoke(user: string, loss: Loss): void {
    this.#people.lose(user, loss);
    const since = this.world.now;
    let isDone = false;
    const tell = (): void => {
      if (isDone) return;
      this.#outside.after(5_000, tell);
      const { server, host, up } = this.#faults.pick(this.#nodes);
      if (!up) return;
      const done = (): void => {
        if (host.alive) this.#rights.revoked(user, since);
        isDone ||= host.alive;
      };
      host.after(0, () => void server.disconnectUser(user).then(done, () => {}));
    };
    tell();
  }

  #newApp(user: string, delayMs: number): App {
    const app = new App(this.#appParts, `a${this.everybody.length + 1}`, user);
    this.apps.push(app);
    this.everybody.push(app);
    app.host.stalledUntil = this.world.now + delayMs;
    return app;
  }

  #workloadParts() {
    const { calm, maxJoined, faults } = this.#scenario;
    const { verdicts } = this;
    // Its server may still read, in another epoch, what an application read to its end before the store lost that.
    const rejoins = !faults.has('store loss');
    return { chance: this.#workload, logs: this.#logs, verdicts, shared: this.#shared, calm, maxJoined, rejoins };
  }

  #usualWeather() {
    const { storeLate, words } = this.#scenario;
    const weather = { ...calmWeather, ...words };
    return storeLate === 0 ? weather : { ...weather, late: storeLate, lateMs: 20 };
  }

  #emptyStore() {
    const { windowSize, windowTimeMs } = this.#scenario;
    const epoch = `e${++this.#epochs}`;
    const { clock } = this.#outside;
    return this.#parts.store({ windowSize, windowTime: windowTimeMs, clock, ids: () => epoch });
  }

  #makeNetwork(chance: Chance): Network {
    const { lowestLatencyMs, highestLatencyMs, highWaterBytes, binary } = this.#scenario;
    return new Network({
      chance,
      balancing: new Chance(this.#scenario.seed, 'balancing'),
      nodes: this.#nodes,
      trace: this.trace,
      link: this.#parts.link,
      lowestLatencyMs,
      highestLatencyMs,
      highWaterBytes,
      binary,
      serverTextBytes: 16_384,
      verdicts: this.verdicts,
      heard: (line, way, envelope) => this.#heard(line, way, envelope),
      ended: (line, side, code) => {
        this.trace.note(side === 'client' ? line.caller.name : line.node.name, 'link ended', code);
        this.#coverage.count(`close ${code}`);
      },
      posted: ({ name }, status) => {
        this.trace.note(name, 'POST answered', status);
        this.#coverage.count(`POST ${status}`);
      },
      strayed: () => this.#coverage.count('POST reached another node'),
    });
  }

  #heard(line: Line, way: 'up' | 'down', envelope: Envelope): void {
    const { type, id, seq, transaction, related_id } = envelope;
    const who = way === 'up' ? line.node.name : line.caller.name;
    this.trace.note(who, `hears ${type}`, `${id} ${seq}`, transaction ?? '', related_id);
    if (way === 'up') {
      // A POST that came again: its numbers say so.
      if (Number(seq) <= line.heardUpTo) return;
      line.heardUpTo = Number(seq);
    }
    line.windows.heard(way, envelope);
    this.#rights.heard(line, way, envelope);
    if (way === 'up') return;
    line.caller.heard?.(envelope);
    if (type !== 'HAI') return;
    line.session = envelope.session;
    this.#fences.came(line, this.#network.lines);
    for (const other of this.#network.lines) {
      if (other === line || other.session !== line.session || other.process !== line.process) continue;
      if (!other.link.isOver('server') && !line.link.isOver('server')) {
        this.verdicts.violated('13 one reader, one lease', `two connections of session ${line.session} are open`);
      }
    }
  }

  #logged(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#coverage.count(`log ${event}`);
    // The store took neither the answer nor the word that there is none: the server says so and goes on.
    if (event === 'turn not closed') this.#logs.unanswerable.add(String(fields['message']));
    if (level !== 'error' || this.#store.failures > 0 || ownFailures.has(event)) return;
    const { error } = fields;
    // Somebody ended the transaction while its agent was about to write.
    if (event === 'agent stopped' && error instanceof Error && error.name === 'Refused') return;
    this.verdicts.violated(
      '20 total answers',
      `the server logged "${event}": ${error instanceof Error ? error.stack : error}`,
    );
  }
}

/** By what its clients connect, in the order they prefer. */
function kindsOf({ seed, overHttp }: Scenario, { http = [] }: SimulatedParts): AppParts['kinds'] {
  if (!overHttp || http.length === 0) return [undefined];
  const chance = new Chance(seed, 'kinds');
  const some = http.filter(() => chance.happens(0.6));
  const kinds = [...(some.length > 0 ? some : [chance.pick(http)]), ...(chance.happens(0.4) ? [undefined] : [])];
  return chance.happens(0.5) ? kinds : kinds.reverse();
}

function limitsOf({ maxJoined, windowMessages }: Scenario) {
  return {
    maxReplayEntries: 5,
    turnTimeoutMs: 2_000,
    drainTimeoutMs: 10_000,
    maxJoined,
    maxTextBytes: 8_192,
    windowMessages,
  };
}

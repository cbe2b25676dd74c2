// What goes wrong, each by its name: done to whoever is there, once each time it is called. Everything here can be
// healed, save what is dead.

import type { App } from './app.ts';
import type { Chance } from './chance.ts';
import type { PostWeather } from './http-link.ts';
import type { Line } from './network.ts';
import type { Loss } from './people.ts';
import type { ServerNode } from './server-node.ts';
import type { KeptLog, StoreWeather } from './store-node.ts';

/** What a fault may lay its hands on. */
export interface Victims {
  readonly chance: Chance;
  readonly apps: readonly App[];
  readonly nodes: readonly ServerNode[];
  /** Calls back after a while, whatever lives or stalls. */
  later(delayMs: number, run: () => void): void;
  lines(): Line[];
  cut(line: Line, side?: 'client' | 'server'): void;
  silence(line: Line, way?: 'up' | 'down'): void;
  refuseDials(probability: number): void;
  /** What becomes of POSTs from now on. */
  posts(change: Partial<PostWeather>): void;
  weather(change: Partial<StoreWeather>): void;
  crash(node: ServerNode): void;
  drain(node: ServerNode, atOnce: boolean, isTold: boolean): void;
  start(node: ServerNode): void;
  /** Puts a store in the place of this one that has only part of it. */
  loseStore(keep: (log: KeptLog) => number): void;
  /** The page is loaded anew, perhaps by somebody else. */
  reload(app: App, user?: string): void;
  /** A user loses rights, and a node is told to end what is open of theirs; `restore` gives the rights back. */
  revoke(user: string, loss: Loss): void;
  restore(user: string): void;
}

/** Does it, and gives the applications it is done to. */
type Fault = (victims: Victims) => readonly App[];

function toLine(victims: Victims, harm: (line: Line) => void): readonly App[] {
  const lines = victims.lines().filter(({ broken, link }) => !broken && !link.isOver('client'));
  const busy = lines.filter(({ caller }) => victims.apps.some((app) => app === caller && isBusy(app)));
  const line = preferring(victims.chance, busy, lines);
  if (line === undefined) return [];
  const hit = victims.apps.filter((app) => app === line.caller);
  harm(line);
  return hit;
}

/** One application; rather one that is in the middle of something than one that only waits. */
function toApp({ chance, apps }: Victims, harm: (app: App) => void): readonly App[] {
  const app = preferring(chance, apps.filter(isBusy), apps);
  if (app === undefined) return [];
  harm(app);
  return [app];
}

const isBusy = ({ state }: App): boolean => state !== 'idle';

function preferring<T>(chance: Chance, some: readonly T[], all: readonly T[]): T | undefined {
  return chance.pick(some.length > 0 && chance.happens(0.7) ? some : all);
}

/** Those who are connecting have no link yet; a fault of what they dial hits them all the same. */
function toNode(victims: Victims, harm: (node: ServerNode) => void): readonly App[] {
  const node = victims.chance.pick(victims.nodes);
  if (!node.up) return [];
  harm(node);
  return victims.apps;
}

function forAWhile({ chance, later }: Victims, end: () => void): void {
  later(chance.pick([50, 500, 5_000]), end);
}

function slow(way: 'up' | 'down'): Fault {
  return (victims) =>
    toLine(victims, ({ link }) => {
      link.stall(way);
      forAWhile(victims, () => link.resume(way));
    });
}

function storeIs(change: Partial<StoreWeather>, back: Partial<StoreWeather>): Fault {
  return (victims) => {
    victims.weather(change);
    forAWhile(victims, () => victims.weather(back));
    return victims.apps;
  };
}

/** Hits those whose connection needs POSTs. */
function postsAre(change: Partial<PostWeather>, back: Partial<PostWeather>): Fault {
  return (victims) => {
    victims.posts(change);
    forAWhile(victims, () => victims.posts(back));
    return victims.apps.filter(({ line }) => line?.isOverHttp);
  };
}

const faults = {
  cut: (victims) => toLine(victims, (line) => victims.cut(line)),
  'half-open client': (victims) => toLine(victims, (line) => victims.cut(line, 'server')),
  'half-open server': (victims) => toLine(victims, (line) => victims.cut(line, 'client')),
  silence: (victims) => toLine(victims, (line) => victims.silence(line)),
  'one way up': (victims) => toLine(victims, (line) => victims.silence(line, 'down')),
  'one way down': (victims) => toLine(victims, (line) => victims.silence(line, 'up')),
  'slow up': slow('up'),
  'slow down': slow('down'),
  'refused dials': (victims) => {
    victims.refuseDials(0.7);
    forAWhile(victims, () => victims.refuseDials(0));
    return victims.apps;
  },
  'POSTs lost': postsAre({ lost: 0.4 }, { lost: 0 }),
  'POSTs twice': postsAre({ twice: 0.4 }, { twice: 0 }),
  'node crash': (victims) =>
    toNode(victims, (node) => {
      victims.crash(node);
      forAWhile(victims, () => victims.start(node));
    }),
  'node drain': (victims) => {
    const { chance, drain } = victims;
    return toNode(victims, (node) => drain(node, chance.happens(0.3), chance.happens(0.5)));
  },
  'node stall': (victims) =>
    toNode(victims, ({ host }) => {
      // The longest one outlives a lease, and others' next question for it.
      host.stalledUntil = host.clock.monotonic() + victims.chance.pick([50, 2_000, 75_000]);
    }),
  'store loss': (victims) => {
    victims.loseStore(({ drafts }) => victims.chance.between(0, drafts.length));
    return victims.apps;
  },
  'store fails before': storeIs({ failBefore: 0.3, lateMs: 200 }, { failBefore: 0 }),
  'store fails after': storeIs({ failAfter: 0.3, lateMs: 200 }, { failAfter: 0 }),
  'store slow': storeIs({ late: 1, lateMs: 3_000 }, { late: 0, lateMs: 20 }),
  'words lost': storeIs({ wordsLost: 0.7 }, { wordsLost: 0.1 }),
  'client stall': (victims) =>
    toApp(victims, ({ host }) => {
      host.stalledUntil = host.clock.monotonic() + victims.chance.pick([50, 2_000, 40_000]);
    }),
  'wall clock': ({ chance, apps, nodes }) => {
    const ms = chance.pick([-3_600_000, -1_000, 1_000, 86_400_000]);
    if (chance.happens(0.5) && apps.length > 0) {
      const app = chance.pick(apps);
      app.host.wallOffsetMs += ms;
      return [app];
    }
    chance.pick(nodes).jumpWall(ms);
    return apps;
  },
  reload: (victims) => toApp(victims, (app) => victims.reload(app)),
  revocation: (victims) => {
    const { chance, apps } = victims;
    if (apps.length === 0) return [];
    const { user } = chance.pick(apps);
    victims.revoke(user, chance.pick(['banned', 'own']));
    forAWhile(victims, () => victims.restore(user));
    return apps.filter((app) => app.user === user);
  },
  'another user': (victims) => toApp(victims, (app) => victims.reload(app, victims.chance.pick(['ada', 'bob', 'eve']))),
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

/** What is done to a link: it cannot hit who has none yet. */
export const linkFaults: readonly FaultName[] = [
  'cut',
  'half-open client',
  'half-open server',
  'silence',
  'one way up',
  'one way down',
  'slow up',
  'slow down',
  'POSTs lost',
  'POSTs twice',
];

/** What only happens between nodes. */
export const nodeFaults: readonly FaultName[] = ['words lost'];

/** What only happens to links over HTTP. */
export const httpFaults: readonly FaultName[] = ['POSTs lost', 'POSTs twice'];

export const faultNames = Object.keys(faults) as FaultName[];

/** Lets a fault happen. Gives the applications that it hit. */
export function strike(name: FaultName, victims: Victims): readonly App[] {
  return faults[name](victims);
}

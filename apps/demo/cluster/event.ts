// What happens in the cluster, as a line in a terminal: when, to whom, what. Signs say it where there is no colour.

import { inspect, styleText } from 'node:util';

/** What a line is about, so that it can be seen at a glance. */
export type EventKind = 'starts' | 'dies' | 'request' | 'answers' | 'answered' | 'warning' | 'note';

export interface ClusterEvent {
  /** The name of a node, or `proxy`. */
  readonly about: string;
  readonly kind: EventKind;
  readonly words: string;
}

/** Takes each event. */
export type TellEvent = (event: ClusterEvent) => void;

type Look = Parameters<typeof styleText>[0];

const looks: Readonly<Record<EventKind, { readonly sign: string; readonly look: Look }>> = {
  starts: { sign: '▲', look: 'green' },
  dies: { sign: '✕', look: ['bold', 'red'] },
  request: { sign: '→', look: 'gray' },
  answers: { sign: '…', look: 'reset' },
  answered: { sign: '✓', look: 'green' },
  warning: { sign: '!', look: 'yellow' },
  note: { sign: '·', look: 'reset' },
};

const nodeLooks: Readonly<Record<string, Look>> = { 'node 1': 'cyan', 'node 2': 'magenta' };
const widestName = 'node 1'.length;

/** The line of an event. Coloured where standard output is a terminal that wants it (NO_COLOR, FORCE_COLOR). */
export function lineOf({ about, kind, words }: ClusterEvent, at: Date): string {
  const { sign, look } = looks[kind];
  const time = styleText('gray', at.toTimeString().slice(0, 8));
  const name = styleText(nodeLooks[about] ?? 'gray', about.padEnd(widestName));
  return `${time}  ${name}  ${styleText(look, `${sign} ${words}`)}`;
}

const isError = (value: unknown): value is { readonly message: unknown } =>
  typeof value === 'object' && value !== null && 'message' in value;

/** Of an error its message: the stack is for files. */
const withoutStack = (value: unknown): unknown => (isError(value) ? value.message : value);

/** A line of a server's log in the words of people; any other line as it is. */
export function wordsOfLog(line: string): string {
  try {
    const { level, event, ...fields } = JSON.parse(line) as Record<string, unknown>;
    if (typeof level !== 'string' || typeof event !== 'string') return line;
    const about = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, withoutStack(value)]));
    const more = Object.keys(about).length > 0 ? ` ${inspect(about, { breakLength: Number.POSITIVE_INFINITY })}` : '';
    return `${level}: ${event}${more}`;
  } catch {
    return line;
  }
}

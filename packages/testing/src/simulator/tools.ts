// What people in the simulation talk to: tools that answer at once, bit by bit, late, wrongly, or not at all.

import type { JsonValue, Tool, Turn } from '@haip/protocol';
import type { Chance } from './chance.ts';
import type { Host } from './world.ts';

/** Every tool, and whether it answers each message. */
export const toolNames = [
  'echo',
  'stream',
  'single',
  'latest',
  'slow',
  'calls',
  'throws',
  'hangs',
  'silent',
  'strict',
  'deaf',
] as const;

/** Resolves after a while; rejects when the turn was stopped before. */
function pause(host: Host, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = host.clock.timer(delayMs, resolve);
    const stop = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

const whole = (input: JsonValue): string => (typeof input === 'string' ? input : JSON.stringify(input));

/** Takes texts and nothing else. */
const textOnly = {
  '~standard': {
    version: 1,
    vendor: 'simulator',
    validate: (value: unknown) =>
      typeof value === 'string' ? { value } : { issues: [{ message: 'expected a text', path: [] }] },
  },
} as const;

/** Told what a message should say: one that was ended without an error, or that is left for the server to end. */
export type Wrote = (transaction: string, messageId: string, text: string, isEnded: boolean) => void;

/** The tools as one process has them. */
// biome-ignore lint/suspicious/noExplicitAny: each tool has an input type of its own
export function toolsOn(host: Host, chance: Chance, wrote: Wrote): readonly Tool<any>[] {
  const stream = async (turn: Turn, input: JsonValue, parts: number, gapMs: number): Promise<void> => {
    const writer = await turn.stream({ author: 'tool' });
    // Now and then more than the message's end can carry.
    const padding = chance.happens(0.05) ? ' and so on'.repeat(150) : '';
    const later: Promise<void>[] = [];
    let text = '';
    for (let part = 0; part < parts; part++) {
      const pieces = [`${part} `, `${whole(input).slice(0, 8)};${padding}`];
      text += pieces.join('');
      // Some tools wait for each write, others look at the end how it went.
      if (chance.happens(0.7)) await writer.write(pieces.join(''));
      else for (const piece of pieces) later.push(writer.write(piece));
      if (gapMs > 0) await pause(host, chance.between(0, gapMs), turn.signal);
    }
    // One that is left open is closed by the server.
    const isEnded = chance.happens(0.8);
    if (isEnded) {
      await writer.end();
      await Promise.all(later);
    }
    wrote(turn.transaction, writer.messageId, text, isEnded);
  };
  return [
    {
      name: 'echo',
      onMessage: (turn, input: JsonValue) => turn.reply(input),
      onAudio: (turn, audio) => turn.replyAudio(audio),
    },
    { name: 'stream', onMessage: (turn, input: JsonValue) => stream(turn, input, chance.between(1, 6), 300) },
    // One answers one message at a time, the other always the newest.
    ...(['refuse', 'interrupt'] as const).map((whileRunning) => ({
      name: whileRunning === 'refuse' ? 'single' : 'latest',
      whileRunning,
      onMessage: (turn: Turn, input: JsonValue) => stream(turn, input, 3, 300),
    })),
    {
      name: 'slow',
      async onMessage(turn, input: JsonValue) {
        await pause(host, chance.between(50, 1500), turn.signal);
        await turn.reply(input);
        if (chance.happens(0.3)) await stream(turn, input, 2, 0);
      },
    },
    {
      name: 'calls',
      async onMessage(turn) {
        const call = await turn.call('search', {});
        for (let step = chance.between(0, 3); step > 0; step--) {
          await call.progress(1 / step);
          await pause(host, chance.between(0, 300), call.signal);
        }
        if (chance.happens(0.5)) await call.ask('Go on?');
        // One that is left open is closed by the server.
        if (chance.happens(0.8)) await call.done('found');
        await turn.reply('found');
      },
    },
    {
      name: 'throws',
      async onMessage(turn, input: JsonValue) {
        if (chance.happens(0.5)) await stream(turn, input, 2, 20);
        throw new Error('as the simulation wants');
      },
    },
    {
      name: 'hangs',
      onMessage: (turn) =>
        new Promise((_, reject) => {
          turn.signal.addEventListener('abort', () => reject(turn.signal.reason), { once: true });
        }),
    },
    { name: 'silent', onMessage() {} },
    { name: 'strict', input: textOnly, onMessage: (turn, input: string) => turn.reply(input) },
    // Never comes back, whatever its signal says.
    { name: 'deaf', onMessage: () => new Promise<void>(() => {}) },
  ];
}

/** Tools that refuse for good what they would take a moment later. */
export const refusesForNow: ReadonlySet<string> = new Set(['single']);

/** Whether each message to a tool gets an entry that names it: an answer, or the error that there is none. */
export const answersAlways: ReadonlySet<string> = new Set([
  'echo',
  'stream',
  'single',
  'latest',
  'slow',
  'calls',
  'throws',
  'hangs',
  'strict',
  'deaf',
]);

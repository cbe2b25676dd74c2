// How a turn ended, as the log tells it: the end of its run, and the words for what was left open in it; and what stops
// a turn before its tool is done. Spec: §6, runs.

import type { JsonObject } from '@haip/protocol';

export interface Ending {
  readonly type: 'RUN_FINISHED' | 'RUN_ERROR';
  readonly payload: JsonObject;
  /** The status of a message that was left open; absent where that is its regular end. */
  readonly message?: 'interrupted' | 'cancelled';
  /** The status of a call that was left open. */
  readonly call: 'OK' | 'CANCELLED' | 'INTERRUPTED';
}

/** The tool was done. */
export const finished: Ending = { type: 'RUN_FINISHED', payload: { status: 'OK' }, call: 'OK' };

/** Nobody goes on with it: its server died, or could not store its end. */
export const interrupted: Ending = {
  type: 'RUN_FINISHED',
  payload: { status: 'INTERRUPTED' },
  message: 'interrupted',
  call: 'INTERRUPTED',
};

/** Somebody wanted it to end. */
export function cancelled(summary?: string): Ending {
  const payload = summary === undefined ? { status: 'CANCELLED' } : { status: 'CANCELLED', summary };
  return { type: 'RUN_FINISHED', payload, message: 'cancelled', call: 'CANCELLED' };
}

/** It could not be done. The message goes to people: fixed words only, nothing that a tool threw. */
export function failed(message = 'the tool failed', code = 'TOOL_EXECUTION_ERROR'): Ending {
  return { type: 'RUN_ERROR', payload: { code, message }, message: 'interrupted', call: 'INTERRUPTED' };
}

/** Why a turn or a call was stopped: the reason that its AbortSignal gives. */
export class Stopped extends Error {
  readonly ending: Ending;
  /** How much of the answer's audio was played before somebody stopped it, in ms; where they said so. */
  readonly heardMs: number | undefined;

  constructor(message: string, ending: Ending, heardMs?: number) {
    super(message);
    this.name = 'Stopped';
    this.ending = ending;
    this.heardMs = heardMs;
  }
}

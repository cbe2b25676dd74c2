// Which runs, calls, approvals and message streams of a log are open, and which had their end: at most one of each.
// Judges and remembers; stores nothing. Spec: §6, invariant 16.

import type { Subject } from '@haip/protocol';
import type { Stream } from './entry-window.ts';
import { Generations } from './generations.ts';

interface Begun {
  readonly owner: string | undefined;
  /** The text stream it is, when it is one. */
  readonly stream: Stream | undefined;
  isOpen: boolean;
  /** What belongs to it and ends with it: one thing at most. */
  inner: Begun | undefined;
}

/** What is open must stay known, whatever its age. */
function carryOpen(old: Map<string, Begun>, young: Map<string, Begun>): void {
  for (const [key, begun] of old) if (begun.isOpen && !young.has(key)) young.set(key, begun);
}

export class Subjects {
  /** Made when there is a first one: most transactions that lie idle never had any. */
  #begun: Generations<Map<string, Begun>> | undefined;

  /** Whether an entry may do this to its subject now. */
  allows({ key, step, owner, within }: Subject): boolean {
    const begun = this.#find(key);
    if (step === 'open') return begun === undefined && (within === undefined || this.#find(within)?.isOpen === true);
    if (begun === undefined || !begun.isOpen) return false;
    return begun.owner === undefined || owner === undefined || begun.owner === owner;
  }

  /** Notes that an allowed step is at `position`. Gives the stream it belongs to. */
  note({ key, step, owner, within }: Subject, position: number, isStream: boolean): Stream | undefined {
    if (step === 'open') {
      const stream: Stream | undefined = isStream ? { state: 'open', last: position, entries: 0 } : undefined;
      const begun: Begun = { owner, stream, isOpen: true, inner: undefined };
      this.#begun ??= new Generations(() => new Map());
      this.#begun.young.set(key, begun);
      const outer = within === undefined ? undefined : this.#find(within);
      if (outer !== undefined) outer.inner = begun;
      return stream;
    }
    const begun = this.#find(key);
    if (begun === undefined) return undefined;
    if (begun.stream !== undefined) begun.stream.last = position;
    if (step === 'end') {
      begun.isOpen = false;
      if (begun.inner !== undefined) begun.inner.isOpen = false;
      // Its end is what must be remembered as long as the window reaches back to it.
      this.#begun?.young.set(key, begun);
    }
    return begun.stream;
  }

  /** The end of the transaction is the end of everything still open. */
  endAll(): void {
    for (const book of [this.#begun?.old, this.#begun?.young]) {
      for (const begun of book?.values() ?? []) {
        begun.isOpen = false;
        if (begun.stream?.state === 'open') begun.stream.state = 'torn';
      }
    }
  }

  /** Forgets what ended long ago. */
  turn(window: { first: number; last: number }, before: number, now: number): void {
    this.#begun?.turn(window, before, now, carryOpen);
  }

  #find(key: string): Begun | undefined {
    return this.#begun?.young.get(key) ?? this.#begun?.old?.get(key);
  }
}

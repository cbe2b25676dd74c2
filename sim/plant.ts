// Plants a bug in HAIP's own sources while they are loaded, or around the store and the link: so that it can be shown
// that the simulator finds it. A snippet that is not there any more is an error: the bug would not be planted.

import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import type { SimulatedParts } from '@haip/testing/simulator';
import { bugs } from './planted-bugs.ts';

/** A text of a source, and what stands there instead. */
export interface Edit {
  /** From `packages/` on. */
  readonly file: string;
  readonly text: string;
  readonly instead: string;
}

export interface Bug {
  readonly name: string;
  /** The first seed that is known to catch it; absent while nobody has looked for it. */
  readonly seed?: number;
  readonly edits?: readonly Edit[];
  readonly spoil?: (parts: SimulatedParts) => SimulatedParts;
}

export interface PlantedBug extends Bug {
  /** @throws Error when a file that it changes was never loaded. */
  check(): void;
}

const root = new URL('../packages/', import.meta.url).href;
const loaded = new Set<Edit>();

export const plantedBugs: readonly PlantedBug[] = bugs.map((bug) => ({
  ...bug,
  check() {
    const missed = bug.edits?.find((edit) => !loaded.has(edit));
    if (missed) throw new Error(`${bug.name}: ${missed.file} was not loaded`);
  },
}));

/** The source with the bug in it. @throws Error when its snippet is not there exactly once. */
function spoilt(source: string, { file, text, instead }: Edit): string {
  const parts = source.split(text);
  if (parts.length !== 2) throw new Error(`${file}: expected once, found ${parts.length - 1} times: ${text}`);
  return parts.join(instead);
}

/** Every snippet of a bug is where it says, and what stands there instead can be read. */
export function isPlantable({ edits = [] }: Bug): boolean {
  for (const edit of edits) stripTypeScriptTypes(spoilt(readFileSync(new URL(edit.file, root), 'utf8'), edit));
  return true;
}

/** From now on the sources are loaded with the bug in them. */
export function plant({ edits = [] }: Bug): void {
  registerHooks({
    load(url, context, nextLoad) {
      const result = nextLoad(url, context);
      const here = edits.filter(({ file }) => url === root + file);
      if (here.length === 0) return result;
      let source = String(result.source);
      for (const edit of here) {
        source = spoilt(source, edit);
        loaded.add(edit);
      }
      return { ...result, source };
    },
  });
}

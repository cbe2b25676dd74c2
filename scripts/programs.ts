// Where programs are that some tests need and no package brings: named by a variable, in a usual place, or on PATH.
// Looks only; installs nothing.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Wanted {
  /** The environment variable that names it. It wins, even when nothing is there. */
  readonly variable: string;
  readonly usualPlaces: readonly string[];
  /** What it is called on PATH. */
  readonly names: readonly string[];
}

/** The path of a program that exists, or undefined. */
export function findProgram({ variable, usualPlaces, names }: Wanted): string | undefined {
  const chosen = process.env[variable];
  if (chosen) return existsSync(chosen) ? chosen : undefined;
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  return [...usualPlaces, ...onPath].find((path) => existsSync(path));
}

// The public surface of the published packages: export maps, import maps and the names of each entry.
// tests/exports.json holds the agreed one; `pnpm pin:exports` writes it anew.
import { join } from 'node:path';
import { exportsOf, root, workspacePackages } from './sources.ts';

export interface Surface {
  exports: unknown;
  imports?: unknown;
  /** Entry → its names; a type is written `type Name`. */
  names: Record<string, string[]>;
}

export const pinnedFile: string = join(root, 'tests/exports.json');

/** The surface as the sources have it now, by package name. */
export function publicSurface(): Record<string, Surface> {
  const surfaces: Record<string, Surface> = {};
  for (const { folder, manifest } of workspacePackages()) {
    if (manifest.private) continue;
    const names: Record<string, string[]> = {};
    for (const [entry, conditions] of Object.entries(manifest.exports ?? {})) {
      const source = conditions['@haip/source'];
      if (typeof source === 'string') names[entry] = exportsOf(join(folder, source));
    }
    surfaces[manifest.name] = {
      exports: manifest.exports,
      ...(manifest.imports ? { imports: manifest.imports } : {}),
      names,
    };
  }
  return surfaces;
}

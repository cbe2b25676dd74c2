// Reads packages as text: their manifests, what a source file imports, what an entry exports. Runs none of them.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseSync } from 'vite';

export const root: string = join(import.meta.dirname, '..');

type Conditions = { [condition: string]: string | Conditions };

interface Manifest {
  name: string;
  private?: boolean;
  exports?: Record<string, Conditions>;
  imports?: Record<string, Conditions>;
  publishConfig?: { exports?: Record<string, Conditions>; imports?: Record<string, Conditions> };
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export interface Package {
  /** From the root, such as `packages/protocol`. */
  folder: string;
  manifest: Manifest;
}

/** The workspace's packages, in the order of their folders. */
export function workspacePackages(): Package[] {
  return globSync(['packages/*/package.json', 'apps/*/package.json', '{bench,examples,sim,tests}/package.json'], {
    cwd: root,
  })
    .sort()
    .map((path) => ({
      folder: join(path, '..'),
      manifest: JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest,
    }));
}

/** TypeScript files below `folder`, from the root; nothing when the folder is absent. */
export function sourceFiles(folder: string): string[] {
  const full = join(root, folder);
  if (!existsSync(full)) return [];
  return globSync('**/*.{ts,tsx}', { cwd: full, exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path) })
    .map((path) => relative(root, join(full, path)))
    .sort();
}

/** Every specifier that the file imports, re-exports, or names in `import('…')`, types included. */
export function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const { staticImports, staticExports } = parsed(file, text);
  const named = [...staticImports, ...staticExports.flatMap((statement) => statement.entries)]
    .map((entry) => entry.moduleRequest?.value)
    .filter((specifier) => specifier !== undefined);
  const inline = [...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)].map(([, specifier = '']) => specifier);
  return [...new Set([...named, ...inline])].sort();
}

/** What the file exports, sorted; a type is written `type Name`. Throws at `export *`: an entry lists its names. */
export function exportsOf(file: string): string[] {
  const { staticExports } = parsed(file, readFileSync(join(root, file), 'utf8'));
  const names = staticExports
    .flatMap((statement) => statement.entries)
    .map((entry) => {
      const { kind, name } = entry.exportName;
      if (kind === 'None') throw new Error(`${file} has an "export *": list the names instead.`);
      const exported = kind === 'Default' ? 'default' : name;
      return entry.isType ? `type ${exported}` : `${exported}`;
    });
  return [...new Set(names)].sort();
}

function parsed(file: string, text: string) {
  const { module, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  return module;
}

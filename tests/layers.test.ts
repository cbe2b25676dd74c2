// Who may import whom: arrows go down, never sideways, never up. A new package needs a line here.
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importsOf, type Package, sourceFiles, workspacePackages } from '../scripts/sources.ts';

const mayImport: Record<string, string[]> = {
  '@haip/protocol': [],
  '@haip/platform': ['@haip/protocol'],
  '@haip/server-core': ['@haip/protocol', '@haip/platform'],
  '@haip/client-core': ['@haip/protocol', '@haip/platform'],
  '@haip/transport-ws': ['@haip/protocol'],
  '@haip/http-link': ['@haip/protocol'],
  '@haip/transport-sse': ['@haip/protocol', '@haip/http-link'],
  '@haip/transport-http': ['@haip/protocol', '@haip/http-link'],
  '@haip/history-engine': ['@haip/protocol'],
  '@haip/history-memory': ['@haip/history-engine', '@haip/platform', '@haip/protocol'],
  '@haip/history-sqlite': ['@haip/history-engine', '@haip/platform', '@haip/protocol'],
  '@haip/history-redis': ['@haip/history-engine', '@haip/platform', '@haip/protocol'],
  '@haip/history-postgres': ['@haip/history-engine', '@haip/platform', '@haip/protocol'],
  '@haip/history-nats': ['@haip/history-engine', '@haip/platform', '@haip/protocol'],
  '@haip/testing': ['@haip/protocol', '@haip/platform'],
};

/** They run wherever Web APIs run. */
const withoutNode = ['@haip/protocol', '@haip/platform', '@haip/server-core', '@haip/client-core'];

const packages = workspacePackages();
const published = packages.filter(({ manifest }) => !manifest.private);
const joining = packages.filter(({ manifest }) => manifest.private);

test('every published package has its line', () => {
  expect(published.map(({ manifest }) => manifest.name).sort()).toEqual(Object.keys(mayImport).sort());
});

describe.each(published)('$manifest.name', (self) => {
  const { name, dependencies = {}, peerDependencies = {}, devDependencies = {} } = self.manifest;
  const allowed = mayImport[name] ?? [];
  const runtime = Object.keys({ ...dependencies, ...peerDependencies });
  const sources = sourceFiles(join(self.folder, 'src'));

  test('depends only on packages below it', () => {
    expect(ours(runtime).filter((dependency) => !allowed.includes(dependency))).toEqual([]);
  });

  test('its tests need only what is below it, @haip/testing and the reference store; wider ones live in tests/', () => {
    const forTests = [...allowed, '@haip/testing', '@haip/history-memory'];
    expect(ours(Object.keys(devDependencies)).filter((dependency) => !forTests.includes(dependency))).toEqual([]);
  });

  test('imports only its own files and what it declares', () => {
    const declared = (specifier: string) => runtime.includes(packageOf(specifier)) || specifier.startsWith('node:');
    expect(forbidden(self, sources, declared)).toEqual([]);
  });

  test('its tests import only its own files and public entries', () => {
    expect(forbidden(self, sourceFiles(join(self.folder, 'test')), () => true)).toEqual([]);
  });
});

test.each(withoutNode)('%s imports nothing of Node', (name) => {
  const folder = published.find(({ manifest }) => manifest.name === name)?.folder ?? '';
  // A `*.node.ts` stands beside a `*.web.ts`: the package's imports map picks it in Node only.
  const everywhere = sourceFiles(join(folder, 'src')).filter((file) => !file.endsWith('.node.ts'));
  const ofNode = everywhere.filter((file) => importsOf(file).some((it) => it.startsWith('node:')));
  expect(ofNode).toEqual([]);
});

describe.each(joining)('$manifest.name', (self) => {
  test('imports only its own files and public entries', () => {
    const files = sourceFiles(self.folder);
    // Tests may look into the workspace's own scripts: where Chromium is, what the packages are.
    const scripts = (specifier: string) => /^(\.\.\/)+scripts\//.test(specifier);
    expect(forbidden(self, files, (specifier) => !specifier.startsWith('.') || scripts(specifier))).toEqual([]);
  });
});

/** `file imports specifier` for each import that is neither a file of the package nor, by `mayName`, one it may name. */
function forbidden({ folder }: Package, files: string[], mayName: (specifier: string) => boolean): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => {
        if (specifier.startsWith('#')) return false;
        if (specifier.startsWith('.') && inside(folder, join(dirname(file), specifier))) return false;
        return !mayName(specifier) || !isPublicEntry(specifier);
      })
      .map((specifier) => `${file} imports ${specifier}`),
  );
}

function inside(folder: string, path: string): boolean {
  return path.startsWith(`${folder}/`);
}

function isPublicEntry(specifier: string): boolean {
  const name = packageOf(specifier);
  const target = packages.find(({ manifest }) => manifest.name === name);
  return !target || `.${specifier.slice(name.length)}` in (target.manifest.exports ?? {});
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function ours(names: string[]): string[] {
  return names.filter((name) => name.startsWith('@haip/'));
}

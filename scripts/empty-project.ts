// Uses the tarballs where nothing of the workspace is in reach: installs them, imports every entry, and type-checks
// against their declarations, once as a Node project and once as a browser project.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinnedFile, type Surface } from './public-surface.ts';
import { failureOf, pnpm } from './run.ts';
import { root } from './sources.ts';

type Versions = Record<string, string>;

/** Entries that must make sense to a compiler that knows the DOM and no Node. */
const forBrowsers = [
  '@haip/protocol',
  '@haip/platform',
  '@haip/client-core',
  '@haip/transport-ws/client',
  '@haip/transport-sse/client',
  '@haip/transport-http/client',
];

/** What is wrong, `ours` being the tarballs by package name. */
export function checkEmptyProject(ours: Versions, peers: Versions): string[] {
  const project = mkdtempSync(join(tmpdir(), 'haip-empty-'));
  const write = (file: string, contents: string) => writeFileSync(join(project, file), contents);
  const node: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies['@types/node'];
  const dependencies = { ...peers, ...ours, '@types/node': node };
  try {
    write('package.json', JSON.stringify({ name: 'empty', private: true, type: 'module', dependencies }));
    write('pnpm-workspace.yaml', JSON.stringify({ overrides: ours, autoInstallPeers: true, pmOnFail: 'ignore' }));
    execFileSync(pnpm, ['install', '--prefer-offline', '--ignore-scripts', '--no-frozen-lockfile'], { cwd: project });
    write('run.js', comparison());
    return [
      ...failureOf('importing every entry in an empty project', process.execPath, ['run.js'], { cwd: project }),
      ...typecheck(project, 'node', Object.keys(valuesByEntry()), ['node']),
      ...typecheck(project, 'browser', forBrowsers, []),
    ];
  } finally {
    rmSync(project, { recursive: true });
  }
}

/** A program that compares what each entry exports at run time with what is pinned. */
function comparison(): string {
  return `for (const [specifier, expected] of Object.entries(${JSON.stringify(valuesByEntry())})) {
  const found = Object.keys(await import(specifier)).sort();
  if (found.join() !== expected.join()) throw new Error(specifier + ' exports ' + found + ' instead of ' + expected);
}\n`;
}

function valuesByEntry(): Record<string, string[]> {
  const pinned = JSON.parse(readFileSync(pinnedFile, 'utf8')) as Record<string, Surface>;
  const entries = Object.entries(pinned).flatMap(([name, { names }]) =>
    Object.entries(names).map(([entry, exported]) => [
      `${name}${entry.slice(1)}`,
      exported.filter((it) => !it.startsWith('type ')),
    ]),
  );
  return Object.fromEntries(entries);
}

/** Checks the declarations themselves; what other people's declarations lack does not count. */
function typecheck(project: string, kind: string, specifiers: string[], types: string[]): string[] {
  const write = (file: string, contents: string) => writeFileSync(join(project, file), contents);
  const fixed = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, customConditions: [kind] };
  // A Node project need not know the DOM.
  const lib = kind === 'node' ? ['es2024'] : ['es2024', 'dom', 'dom.iterable'];
  const compilerOptions = { ...fixed, types, lib };
  write(`${kind}.ts`, specifiers.map((it, i) => `export type * as entry${i} from '${it}';\n`).join(''));
  write(`${kind}.json`, JSON.stringify({ compilerOptions, files: [`${kind}.ts`] }));
  const tsc = join(root, 'node_modules/.bin/tsc');
  return failureOf(`type-checking in an empty ${kind} project`, tsc, ['-p', `${kind}.json`, '--pretty', 'false'], {
    cwd: project,
    keep: (line) => line.startsWith(`${kind}.ts`) || /@haip[+/]/.test(line),
  });
}

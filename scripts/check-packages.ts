// Packs each published package as a release would and judges the tarballs: contents, publint, are-the-types-wrong,
// and a use of them all in an empty project. Needs the build.
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEmptyProject } from './empty-project.ts';
import { failureOf, pnpm } from './run.ts';
import { root, workspacePackages } from './sources.ts';

const bin = join(root, 'node_modules/.bin');
const folder = mkdtempSync(join(tmpdir(), 'haip-pack-'));
try {
  const published = workspacePackages().filter(({ manifest }) => !manifest.private);
  const tarballs = published.map(({ folder: from, manifest }) => ({ name: manifest.name, path: pack(from) }));
  const failures = [
    ...tarballs.flatMap(({ name, path }) => judge(name, path)),
    ...checkEmptyProject(
      Object.fromEntries(tarballs.map(({ name, path }) => [name, `file:${path}`])),
      Object.assign({}, ...published.map(({ manifest }) => manifest.peerDependencies)),
    ),
  ];
  for (const failure of failures) console.error(failure);
  if (failures.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** Packs without what an earlier build left in dist, and returns where the tarball is. */
function pack(from: string): string {
  const built = join(root, from, 'dist');
  for (const file of globSync('**/*.js', { cwd: built })) {
    const [source] = globSync(file.replace(/\.js$/, '.{ts,tsx}'), { cwd: join(root, from, 'src') });
    if (source) continue;
    for (const stale of globSync(file.replace(/\.js$/, '.{js,js.map,d.ts}'), { cwd: built }))
      rmSync(join(built, stale));
  }
  const out = execFileSync(pnpm, ['pack', '--json', '--pack-destination', folder], {
    cwd: join(root, from),
  }).toString();
  const { filename } = JSON.parse(out.slice(out.indexOf('{'))) as { filename: string };
  return filename;
}

/** What is wrong with one tarball. */
function judge(name: string, tarball: string): string[] {
  const files = execFileSync('tar', ['-tzf', tarball]).toString().trim().split('\n');
  console.log(`${name}: ${files.length} files, ${statSync(tarball).size} bytes packed`);
  const strays = files.filter((file) => !/^package\/(dist\/|spec\/|package\.json$|README\.md$|LICENSE$)/.test(file));
  const wanted = [
    'README.md',
    'LICENSE',
    ...(name === '@haip/protocol' ? ['spec/PROTOCOL.md', 'spec/vectors/README.md'] : []),
  ];
  const missing = wanted.map((file) => `package/${file}`).filter((file) => !files.includes(file));
  return [
    ...strays.map((file) => `${name} packs ${file}, which does not belong`),
    ...missing.map((file) => `${name} does not pack ${file}`),
    ...failureOf(`publint of ${name}`, join(bin, 'publint'), ['run', tarball, '--strict']),
    ...failureOf(`attw of ${name}`, join(bin, 'attw'), [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji']),
  ];
}

// The gate between what is promised and what is proved: reads the titles of all tests and lists what none of them
// names. A title cites a requirement of spec/requirements.json in brackets, `[HAI-1]`, and begins with the row of
// spec/rows.json that it proves, an invariant, a fault or an attack: `A36: …`. A requirement counts as proved too when every row it names is, or when a
// flow of spec/vectors/flows names it: flows.test.ts plays them all.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { root } from '../scripts/sources.ts';

interface Row {
  id: string;
  input: string;
  answer: string;
  /** With what it becomes due. */
  planned?: string;
}

interface Requirement {
  id: string;
  section: string;
  text: string;
  rows: string[];
  since?: string;
  planned?: string;
}

const requirements = readSpec<Requirement[]>('requirements.json');
const rows = readSpec<Row[]>('rows.json');
const titles = [
  '{packages,apps}/*/test/**/*.test.{ts,tsx}',
  '{tests,examples,sim}/**/*.test.ts',
  'packages/testing/src/**/*.ts',
]
  .flatMap((pattern) => globSync(pattern, { cwd: root, exclude: (path) => /(^|\/)node_modules$/.test(path) }))
  .filter((file) => !import.meta.filename.endsWith(file))
  .flatMap((file) => stringsOf(file).map((found) => ({ file, ...found })));

const citedRows = new Set(titles.flatMap(({ text }) => rowsIn(text)));
const inTitles = titles.flatMap(({ file, text, sure }) => idsIn(text).map((id) => ({ file, id, sure })));
const flows = globSync('spec/vectors/flows/*.json', { cwd: root }).map((file) => ({
  file,
  ids: (JSON.parse(readFileSync(join(root, file), 'utf8')) as { requirements: string[] }).requirements,
}));
const citations = [...inTitles, ...flows.flatMap(({ file, ids }) => ids.map((id) => ({ file, id, sure: true })))];
const citedIds = new Set(citations.map(({ id }) => id));

test('every invariant, fault and attack that is due has a test whose title begins with it', () => {
  const without = rows.filter(({ id }) => !citedRows.has(id));
  const line = ({ id, input, answer }: Row): string => `${id}: ${input} → ${answer}`;
  for (const row of without.filter(({ planned }) => planned)) console.log(`planned with ${row.planned}: ${line(row)}`);
  expect(without.filter(({ planned }) => !planned).map(line)).toEqual([]);
});

test('every row that a test cites exists', () => {
  const known = new Set(rows.map(({ id }) => id));
  expect([...citedRows].filter((id) => !known.has(id))).toEqual([]);
});

test('every requirement that is due is cited by a test', () => {
  const proved = ({ id, rows: needed }: Requirement) =>
    citedIds.has(id) || (needed.length > 0 && needed.every((row) => citedRows.has(row)));
  const missing = requirements.filter((requirement) => requirement.since !== undefined && !proved(requirement));
  expect(missing.map(({ id, section, text }) => `[${id}] ${section} ${text}`)).toEqual([]);
});

test('every requirement that a test cites exists', () => {
  const known = new Set(requirements.map(({ id }) => id));
  const unknown = citations.filter(({ id, sure }) => sure && !known.has(id));
  expect(unknown.map(({ file, id }) => `${file} cites [${id}]`)).toEqual([]);
});

test('each requirement has an id of its own and is either due or planned', () => {
  const ids = requirements.map(({ id }) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at || !/^[A-Z0-9]+-[1-9][0-9]*$/.test(id))).toEqual([]);
  expect(requirements.filter(({ since, planned }) => (since === undefined) === (planned === undefined))).toEqual([]);
});

test('a citation is read from titles of each form, and from nothing else', () => {
  expect(rowsIn('A36: a first frame')).toEqual(['A36']);
  expect(rowsIn('A3, I5 and F42: too deep')).toEqual(['A3', 'I5', 'F42']);
  expect(rowsIn('see A36: it is there')).toEqual([]);
  expect(idsIn('a repeat is acknowledged again [ACK-2] [LOG-4, LOG-5]')).toEqual(['ACK-2', 'LOG-4', 'LOG-5']);
  expect(idsIn('[a-1] [] [X]')).toEqual([]);
});

function readSpec<Content>(file: string): Content {
  return JSON.parse(readFileSync(join(root, 'spec', file), 'utf8')) as Content;
}

function rowsIn(title: string): string[] {
  const [, list = ''] = /^((?:[AFI]\d+(?:, | and )?)+):/.exec(title) ?? [];
  return list.match(/[AFI]\d+/g) ?? [];
}

function idsIn(title: string): string[] {
  const lists = title.match(/\[[A-Z0-9]+-\d+(?:, [A-Z0-9]+-\d+)*\]/g) ?? [];
  return lists.flatMap((list) => list.slice(1, -1).split(', '));
}

interface Found {
  text: string;
  /** It is the title of a test; else a string anywhere, perhaps a title in a table or a suite. */
  sure: boolean;
}

interface Node {
  type?: string;
  value?: unknown;
  callee?: unknown;
  object?: unknown;
  name?: string;
  arguments?: unknown[];
}

/** Every string and template text in a file: titles stand in calls, tables and suites alike. */
function stringsOf(file: string): Found[] {
  const found: Found[] = [];
  const visit = (value: unknown, sure: boolean): void => {
    if (typeof value !== 'object' || value === null) return;
    const node = value as Node;
    if (node.type === 'Literal' && typeof node.value === 'string') found.push({ text: node.value, sure });
    if (node.type === 'TemplateElement')
      found.push({ text: (node.value as { cooked: string | null }).cooked ?? '', sure });
    const [title] = node.type === 'CallExpression' && isTest(node.callee) ? (node.arguments ?? []) : [];
    for (const child of Object.values(node)) {
      if (child !== node.arguments) visit(child, sure && (node.type === 'TemplateLiteral' || Array.isArray(value)));
    }
    for (const argument of node.arguments ?? []) visit(argument, argument === title);
  };
  visit(parseSync(file, readFileSync(join(root, file), 'utf8')).program, false);
  return found;
}

/** True for `test`, `it` and `describe`, and for what hangs on them: `test.each(table)`. */
function isTest(callee: unknown): boolean {
  const { type, name, object, callee: called } = callee as Node;
  if (type === 'Identifier') return name === 'test' || name === 'it' || name === 'describe';
  return type === 'MemberExpression' ? isTest(object) : type === 'CallExpression' && isTest(called);
}

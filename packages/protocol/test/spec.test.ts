// spec/PROTOCOL.md stays true: its examples are read like anything from the wire, its tables and ids are held to the code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { closeCodes, type Envelope, encode, envelopeFields, errorCodes, eventTypes, Fault } from '../src/index.ts';
import { read, specFolder } from './vectors.ts';

const spec = readFileSync(join(specFolder, 'PROTOCOL.md'), 'utf8');
const requirements = JSON.parse(readFileSync(join(specFolder, 'requirements.json'), 'utf8')) as {
  id: string;
  section: string;
}[];

const examples = [...spec.matchAll(/```json (client|server)\n([\s\S]*?)```/g)].map(([, from = '', text = '']) => {
  const { type } = JSON.parse(text) as Envelope;
  return { type, from: from as 'client' | 'server', text };
});

/** The text of each `## ` section, by its number. */
const sections = new Map(spec.split(/^## /m).map((section) => [`§${section.match(/^\d+/)?.[0]}`, section]));

/** The rows of the table that begins with this header, cell by cell. */
function tableOf(header: string): string[][] {
  const from = spec.indexOf(header);
  const rows = spec.slice(from, spec.indexOf('\n\n', from)).split('\n').slice(2);
  return rows.map((row) => row.split(' | ').map((cell) => cell.replace(/[|`]/g, '').trim()));
}

describe('examples', () => {
  test('stand in blocks that say who writes them', () => {
    expect(examples.length).toBeGreaterThan(20);
    expect(spec.match(/```json/g)?.length).toBe(examples.length);
  });

  test.each(examples)('$type as a $from writes it is read without a fault', ({ from, text }) => {
    const answer = read(text, from);
    expect(answer).not.toBeInstanceOf(Fault);
    expect(encode(answer as Envelope)).toBe(JSON.stringify(JSON.parse(text)));
  });

  test('write the fields in the order in which they are written on the wire', () => {
    for (const { text } of examples) {
      const fields = Object.keys(JSON.parse(text) as Envelope);
      expect(fields).toEqual(envelopeFields.filter((field) => fields.includes(field)));
    }
  });
});

describe('tables', () => {
  test('name every event type', () => {
    const named = [...spec.matchAll(/^\| ([A-Z_]+) \| [CS]/gm)].map(([, type]) => type);
    expect(named.sort()).toEqual(Object.keys(eventTypes).sort());
  });

  test('say of every event type who writes it', () => {
    const rows = [...spec.matchAll(/^\| ?([A-Z_]*) \| (C S|C|S) \|/gm)];
    const sides = new Map<string, string>();
    let type = '';
    for (const [, name = '', by = ''] of rows) {
      type = name || type;
      sides.set(type, sides.has(type) ? 'C S' : by);
    }
    const expected = Object.entries(eventTypes).map(([name, event]) => {
      const by = ['client' in event ? 'C' : '', 'server' in event ? 'S' : ''].join(' ').trim();
      return [name, by] as const;
    });
    expect(sides).toEqual(new Map(expected));
  });

  test('give every error code its retry advice and meaning [ERR-3]', () => {
    const expected = Object.entries(errorCodes).map(([code, { retry, meaning }]) => [
      code,
      retry ? 'yes' : 'no',
      meaning,
    ]);
    expect(tableOf('| code | retry | meaning |')).toEqual(expected);
  });

  test('give every close code its name and what comes next [CLOSE-1]', () => {
    const expected = Object.entries(closeCodes).map(([code, { name, next }]) => [code, name, next]);
    expect(tableOf('| code | name | next |')).toEqual(expected);
  });
});

describe('requirement ids', () => {
  const tags = (text: string) => [...text.matchAll(/\[([A-Z0-9]+-\d+)\]/g)].map(([, id = '']) => id);

  test('stand in the section that the data names', () => {
    const missing = requirements.filter(({ id, section }) => !tags(sections.get(section) ?? '').includes(id));
    expect(missing).toEqual([]);
  });

  test('in the text are all in the data', () => {
    const known = new Set(requirements.map(({ id }) => id));
    expect(tags(spec).filter((id) => !known.has(id))).toEqual([]);
  });
});

test('links lead to a heading', () => {
  const anchors = new Set(
    [...spec.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
  const links = [...spec.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
  expect(links.filter((link) => !anchors.has(link))).toEqual([]);
});

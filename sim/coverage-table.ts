// What a run met, as a table of faults by states and a list of codes; and what it met too seldom to prove anything.

import { appStates, faultNames } from '@haip/testing/simulator';

type Cells = readonly (readonly [string, number])[];

const ENOUGH = 100;

/** Codes that an application's connection must have heard in a long run. */
const codes = [
  'PROTOCOL_VIOLATION',
  'TRANSACTION_ENDED',
  'TRANSACTION_NOT_FOUND',
  'RUN_LIMIT_EXCEEDED',
  'REPLAY_TOO_OLD',
  'OVERLOADED',
  'INVALID_PAYLOAD',
];
const closes = [1000, 1001, 1006, 1011, 1012, 4409];

export function coverageTable(cells: Cells): string {
  const counts = new Map(cells);
  const width = Math.max(...faultNames.map((name) => name.length));
  const head = [''.padEnd(width), ...appStates.map((state) => state.padStart(11))].join(' ');
  const rows = faultNames.map((fault) =>
    [
      fault.padEnd(width),
      ...appStates.map((state) => String(counts.get(`fault ${fault} × ${state}`) ?? 0).padStart(11)),
    ].join(' '),
  );
  const rest = cells
    .filter(([cell]) => !cell.startsWith('fault '))
    .map(([cell, times]) => `${String(times).padStart(9)}  ${cell}`);
  return [head, ...rows, '', ...rest].join('\n');
}

/** The cells that were met less often than a long run must meet them. */
export function missing(cells: Cells): string[] {
  const counts = new Map(cells);
  const due = [
    ...faultNames.flatMap((fault) => appStates.map((state) => `fault ${fault} × ${state}`)),
    ...codes.map((code) => `code ${code}`),
    ...closes.map((code) => `close ${code}`),
  ];
  return due.filter((cell) => (counts.get(cell) ?? 0) < ENOUGH).map((cell) => `${cell}: ${counts.get(cell) ?? 0}`);
}

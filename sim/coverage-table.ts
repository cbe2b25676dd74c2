// What a run met, as a table of faults by states and a list of codes; and what it met too seldom to prove anything.

import { type AppState, appStates, type FaultName, faultNames, linkFaults } from '@haip/testing/simulator';

type Cells = readonly (readonly [string, number])[];

const ENOUGH = 100;

/** Codes that an application's connection must have heard in a long run: all that HAIP's own client can bring about. */
const codes = [
  'AUTHENTICATION_FAILED',
  'INSUFFICIENT_CREDITS',
  'INVALID_PAYLOAD',
  'MESSAGE_TOO_LARGE',
  'OVERLOADED',
  'PROTOCOL_VIOLATION',
  'REPLAY_TOO_OLD',
  'RUN_LIMIT_EXCEEDED',
  'TOOL_NOT_FOUND',
  'TRANSACTION_ENDED',
  'TRANSACTION_NOT_FOUND',
  'UNAUTHORIZED',
];
const closes = [1000, 1001, 1006, 1008, 1011, 1012, 1013, 4008, 4408, 4409];

function isPossible(fault: FaultName, state: AppState): boolean {
  return state !== 'connecting' || !linkFaults.includes(fault);
}

export function coverageTable(cells: Cells): string {
  const counts = new Map(cells);
  const width = Math.max(...faultNames.map((name) => name.length));
  const head = [''.padEnd(width), ...appStates.map((state) => state.padStart(11))].join(' ');
  const cell = (fault: FaultName, state: AppState): string =>
    isPossible(fault, state) ? String(counts.get(`fault ${fault} × ${state}`) ?? 0) : '–';
  const rows = faultNames.map((fault) =>
    [fault.padEnd(width), ...appStates.map((state) => cell(fault, state).padStart(11))].join(' '),
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
    ...faultNames.flatMap((fault) =>
      appStates.filter((state) => isPossible(fault, state)).map((state) => `fault ${fault} × ${state}`),
    ),
    ...codes.map((code) => `code ${code}`),
    ...closes.map((code) => `close ${code}`),
  ];
  return due.filter((cell) => (counts.get(cell) ?? 0) < ENOUGH).map((cell) => `${cell}: ${counts.get(cell) ?? 0}`);
}

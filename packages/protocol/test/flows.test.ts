// The flows that other implementations replay keep the rules they are there to show.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Flow, type FlowStep, faultsOf } from './flow-rules.ts';
import { specFolder } from './vectors.ts';

const folder = join(specFolder, 'vectors/flows');
const flows = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Flow);
const requirements = JSON.parse(readFileSync(join(specFolder, 'requirements.json'), 'utf8')) as { id: string }[];

test.each(flows)('$name: sound envelopes, numbers in order, positions without a hole', (flow) => {
  expect(faultsOf(flow)).toEqual([]);
});

test.each(flows)('$name: names requirements that exist', ({ requirements: named }) => {
  const known = requirements.map(({ id }) => id);
  expect(named.filter((id) => !known.includes(id))).toEqual([]);
  expect(named.length).toBeGreaterThan(0);
});

describe('the judge of flows finds', () => {
  const first = flows.find(({ name }) => name === 'a first conversation') as Flow;
  const changed = (fits: (step: FlowStep) => boolean, change: object | undefined) => {
    const at = first.steps.findIndex(fits);
    expect(at).toBeGreaterThanOrEqual(0);
    const step = first.steps[at] as FlowStep;
    const instead = change === undefined ? [] : [{ ...step, ...change, envelope: { ...step.envelope, ...change } }];
    return faultsOf({ ...first, steps: first.steps.toSpliced(at, 1, ...instead) }).join('\n');
  };
  const entry = (step: FlowStep) => step.envelope?.['seq'] === '3' && step.from === 'server';
  const message = (step: FlowStep) => step.envelope?.['id'] === 'm-3';

  test.each<[string, (step: FlowStep) => boolean, object | undefined, RegExp]>([
    ['an entry left out', entry, undefined, /@4 after @2/],
    ['an entry twice', entry, { seq: '2' }, /@2 again/],
    ['a number left out', message, undefined, /number 4 after 2/],
    ['a number given twice', message, { seq: '2' }, /number 2 after 2/],
    ['an envelope that is none', message, { ts: 5 }, /PROTOCOL_VIOLATION/],
    ['a client that writes what servers write', message, { type: 'RUN_STARTED', payload: {} }, /UNAUTHORIZED/],
    ['bytes that are not there', message, { bin_len: 3 }, /bin_len 3/],
    ['a session that nobody named', message, { session: '$nobody' }, /\$nobody/],
    ['an answer to nothing', (step) => step.from === 'server', { related_id: 'h-9' }, /answers nothing/],
    ['an ack of what was not sent', (step) => step.settled === '5', { settled: '9' }, /settled 9/],
  ])('%s', (_what, fits, change, fault) => {
    expect(changed(fits, change)).toMatch(fault);
  });
});

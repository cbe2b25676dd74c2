// The flows that are given to authors in other languages, played against our own server. A flow proves the
// requirements it names; tests/requirements.test.ts counts them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../scripts/sources.ts';
import { type Flow, playFlow } from './flow-player.ts';

const folder = join(root, 'spec/vectors/flows');
const flows = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Flow);

test.each(flows)('$name goes as written', async (flow) => {
  await playFlow(flow);
});

test('a flow that expects something else fails at that step', async () => {
  const flow = flows.find(({ name }) => name === 'a first conversation') as Flow;
  const at = flow.steps.findIndex(({ envelope, from }) => from === 'server' && envelope?.['seq'] === '3');
  const wrong = { ...flow.steps[at], envelope: { ...flow.steps[at]?.envelope, seq: '4' } };
  await expect(playFlow({ ...flow, steps: flow.steps.with(at, wrong) })).rejects.toThrow(
    `step ${at}: envelope.seq: expected "4"`,
  );
});

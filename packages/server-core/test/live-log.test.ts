import type { Draft, TransactionRecord } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import type { ServerContext } from '../src/context.ts';
import { LiveLog } from '../src/live-log.ts';
import { Toolbox } from '../src/toolbox.ts';
import { lateHistory, testHistory } from './stores.ts';
import { times } from './support.ts';

const record: TransactionRecord = {
  transaction: 'tx',
  starter: 'ada',
  tool: 'echo',
  params: {},
  referenceId: 'ref',
  createdAt: 0,
};

let drafts = 0;

function draft(type: string, fields: Partial<Draft> = {}): Draft {
  const id = `d-${++drafts}`;
  return { id, user: 'ada', session: 's', ts: 0, channel: 'USER', type, payload: {}, size: 1, digest: '', ...fields };
}

async function setup(isLate = false) {
  const clock = fakeClock();
  const history = isLate ? lateHistory(clock, 3) : testHistory(clock);
  const context = { clock, history, log: () => {}, toolbox: new Toolbox() } as unknown as ServerContext;
  const { epoch } = await history.create(record, draft('TRANSACTION_START'));
  const log = new LiveLog(context, record, { epoch, first: 1 });
  await log.refresh();
  return { clock, history, log };
}

describe('a log as a node sees it', () => {
  test('keeps no cancellation of a run that is not there, and forgets one whose run has ended', async () => {
    const { log } = await setup();
    const cancel = (run_id: string): Draft => draft('RUN_CANCEL', { payload: { run_id } });
    await log.append([
      draft('RUN_STARTED', { run_id: 'real', user: null }),
      cancel('real'),
      ...times(50, (n) => cancel(`invented-${n}`)),
    ]);
    await log.refresh();
    expect([...log.state.runs]).toEqual([['real', { cancel: { heardMs: undefined } }]]);
    await log.append([draft('RUN_FINISHED', { run_id: 'real', user: null })]);
    await log.refresh();

    expect([...log.state.runs]).toEqual([]);
  });

  test.each([false, true])(
    'F46: has folded, once a refresh is done, all that was stored before it (late: %s)',
    async (isLate) => {
      const { history, log } = await setup(isLate);
      for (let n = 0; n < 200; n++) {
        await history.append('tx', [draft('MESSAGE')]);
        // What others read at the same moment must not swallow this one's question.
        void log.refresh();
        for (let turns = n % 7; turns > 0; turns--) await Promise.resolve();
        const { last = 0 } = (await history.head('tx')) ?? {};
        await log.refresh();
        expect(log.last).toBeGreaterThanOrEqual(last);
      }
    },
  );

  test('F46: tells its followers of an append in the very moment a read ends', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { clock, history, log } = await setup(true);
      const seen: number[] = [];
      log.follow({ position: 0, wake: () => void seen.push(log.last) });
      await history.append('tx', [draft('MESSAGE')]);
      await log.refresh();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await history.append('tx', [draft('MESSAGE')]);
      log.changed();
      for (let n = 0; n < 10; n++) await clock.settle();
      expect(seen.at(-1)).toBe(3);
    }
  });
});

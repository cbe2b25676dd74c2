import type { Draft, Pending } from '@haip/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppendQueue } from '../src/append-queue.ts';
import { draftFrom } from './stores.ts';

const KIB = 1024;
const sized = (size: number): Draft => ({ ...draftFrom('ada', 'MESSAGE'), size });

describe('a queue of appends', () => {
  test('keeps their order, one under way at a time, whatever each does', async () => {
    const piece = fc.record({
      drafts: fc.integer({ min: 1, max: 3 }),
      how: fc.constantFrom('at once', 'late', 'throws', 'rejects'),
      pause: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        const [given, begun]: [Draft[], Draft[]] = [[], []];
        const steps = new Map<Draft, (typeof pieces)[number]>();
        let underWay = 0;
        const late = async (how: string): Promise<void> => {
          expect(++underWay).toBe(1);
          for (let n = 0; n < 5; n++) await Promise.resolve();
          underWay--;
          if (how === 'rejects') throw new Error('rejected');
        };
        const queue = new AppendQueue((drafts): Pending => {
          begun.push(...drafts);
          const { how } = steps.get(drafts[0] as Draft) as (typeof pieces)[number];
          if (how === 'throws') throw new Error('threw');
          return how === 'at once' ? undefined : late(how);
        });
        const pending: Pending[] = [];
        for (const step of pieces) {
          const drafts = Array.from({ length: step.drafts }, () => sized(100));
          for (const draft of drafts) steps.set(draft, step);
          given.push(...drafts);
          try {
            pending.push(queue.push(drafts));
          } catch (error) {
            expect((error as Error).message).toBe('threw');
          }
          if (step.pause) await Promise.resolve();
        }
        await Promise.allSettled(pending);
        expect(begun).toEqual(given);
      }),
    );
  });

  test('puts what waits into steps of at most 500 drafts and 1 MiB, and takes no push apart', async () => {
    for (const [size, expected] of [
      [100, [1, 500, 500, 200]],
      [100 * KIB, [1, ...Array.from({ length: 120 }, () => 10)]],
    ] as const) {
      const steps: number[] = [];
      const queue = new AppendQueue(async (drafts) => {
        steps.push(drafts.length);
      });
      const pending = [queue.push([sized(size)])];
      for (let n = 0; n < 600; n++) pending.push(queue.push([sized(size), sized(size)]));
      await Promise.all(pending);

      expect(steps).toEqual(expected);
    }
  });

  test('what fails costs those that went with it, nothing that comes later', async () => {
    let isFailing = true;
    const queue = new AppendQueue(async () => {
      if (isFailing) throw new Error('no');
    });
    const first = queue.push([sized(1)]);
    const together = [queue.push([sized(1)]), queue.push([sized(1)])];
    await expect(first).rejects.toThrow('no');
    for (const one of together) await expect(one).rejects.toThrow('no');
    isFailing = false;

    await expect(queue.push([sized(1)])).resolves.toBeUndefined();
  });
});

import { afterEach, expect, test, vi } from 'vitest';
import { wakeSignals } from '../src/index.ts';
import { wakeSignals as ofTheWeb } from '../src/wake.web.ts';

afterEach(() => vi.unstubAllGlobals());

/** What of a page the signals need. */
function page() {
  const target = new EventTarget();
  vi.stubGlobal('document', { visibilityState: 'hidden' });
  vi.stubGlobal('addEventListener', target.addEventListener.bind(target));
  vi.stubGlobal('removeEventListener', target.removeEventListener.bind(target));
  const show = (visibilityState: string) => {
    vi.stubGlobal('document', { visibilityState });
    target.dispatchEvent(new Event('visibilitychange'));
  };
  return { show, online: () => target.dispatchEvent(new Event('online')) };
}

test('F61: a page that is seen again and a network that is back wake; one that is hidden does not', () => {
  const { show, online } = page();
  let woken = 0;
  const stop = ofTheWeb(() => woken++);
  show('hidden');
  expect(woken).toBe(0);
  show('visible');
  expect(woken).toBe(1);
  online();
  expect(woken).toBe(2);
  stop();
  show('visible');
  online();
  expect(woken).toBe(2);
});

test('where there are no such events nothing wakes, and nothing throws', () => {
  vi.stubGlobal('addEventListener', undefined);
  vi.stubGlobal('removeEventListener', undefined);
  for (const signals of [ofTheWeb, wakeSignals]) signals(() => expect.unreachable())();
});

// Speaks a text at the pace of a quick reader: word by word, with a breath at the end of a sentence.

import type { Clock } from '@haip/protocol';

/** The words with the spaces behind them; joined they are the text. */
export function wordsOf(text: string): string[] {
  return text.match(/\s*\S+\s*/g) ?? [];
}

/** Milliseconds to wait after a word: some 20 words a second on the average. */
export function pauseAfter(word: string): number {
  const breath = /\n\n$/.test(word) ? 220 : /[.!?:]["”]?\s+$/.test(word) ? 120 : 0;
  return 20 + 4 * Math.min(word.trim().length, 12) + breath;
}

/** Resolves after `delayMs`; rejects with the signal's reason as soon as that is aborted. */
export function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.timer(delayMs, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultFlowWindow, type FlowWindow, grantWindow, isOpen, pauseWindow, spendWindow } from '../src/index.ts';

const anyBytes = fc.integer({ min: 0, max: 5_000 });
const anyStep = fc.oneof(
  fc.record({ send: anyBytes }),
  fc.record({ grant: fc.tuple(fc.nat(4), anyBytes) }),
  fc.record({ pause: fc.boolean() }),
);

test('F52: a sender that keeps to the window sends while both counts are positive, and never further below zero than one frame [FLOW-1]', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 100 }), (steps) => {
      let window: FlowWindow = { messages: 2, bytes: 1_000, paused: false };
      let [messages, bytes] = [2, 1_000];
      for (const step of steps) {
        if ('pause' in step) window = pauseWindow(window, step.pause);
        if ('grant' in step) {
          window = grantWindow(window, ...step.grant);
          messages += step.grant[0];
          bytes += step.grant[1];
        }
        if ('send' in step && isOpen(window)) {
          expect(messages > 0 && bytes > 0 && !window.paused).toBe(true);
          window = spendWindow(window, step.send);
          messages -= 1;
          bytes -= step.send;
        }
        expect(window).toMatchObject({ messages, bytes });
        expect(messages).toBeGreaterThanOrEqual(0);
        expect(bytes).toBeGreaterThan(-5_000);
      }
    }),
  );
});

test('F52: whatever is waiting drains when the receiver grants what it took, and both directions do so at once', () => {
  const queues = fc.tuple(fc.array(anyBytes, { maxLength: 50 }), fc.array(anyBytes, { maxLength: 50 }));
  fc.assert(
    fc.property(
      queues,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 800 }),
      ([up, down], messages, bytes) => {
        for (const queue of [up, down]) {
          const waiting = [...queue];
          let window: FlowWindow = { messages, bytes, paused: false };
          for (let turns = 0; waiting.length > 0; turns++) {
            expect(turns).toBeLessThan(500);
            while (isOpen(window) && waiting.length > 0) window = spendWindow(window, waiting.shift() ?? 0);
            window = grantWindow(window, messages - window.messages, bytes - window.bytes);
          }
        }
      },
    ),
  );
});

test('a message larger than the window goes whole once the window is positive', () => {
  const spent = spendWindow({ messages: 1, bytes: 1, paused: false }, 1_000_000);
  expect(spent).toEqual({ messages: 0, bytes: -999_999, paused: false });
  expect(isOpen(spent)).toBe(false);
});

test('a paused channel sends nothing, and resuming it restores what was there', () => {
  const paused = pauseWindow(defaultFlowWindow, true);
  expect(isOpen(paused)).toBe(false);
  expect(isOpen(grantWindow(paused, 1_000, 1_000))).toBe(false);
  expect(pauseWindow(paused, false)).toEqual(defaultFlowWindow);
});

test('grants add up to 2^53-1 and no further, so the count never loses a message', () => {
  let window = grantWindow(defaultFlowWindow, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  window = grantWindow(window, Number.MAX_SAFE_INTEGER, 1);
  expect(window).toMatchObject({ messages: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER });
  expect(spendWindow(window, 1).messages).toBe(Number.MAX_SAFE_INTEGER - 1);
});

test('a window begins with 1,024 messages and 1 MiB [FLOW-1]', () => {
  expect(defaultFlowWindow).toEqual({ messages: 1_024, bytes: 1_048_576, paused: false });
});

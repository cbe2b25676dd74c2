import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultFlowCredit, FlowWindow, ReceiveWindow, SendWindows } from '../src/index.ts';

const anyBytes = fc.integer({ min: 0, max: 5_000 });
const anyStep = fc.oneof(
  fc.record({ send: anyBytes }),
  fc.record({ grant: fc.tuple(fc.nat(4), anyBytes) }),
  fc.record({ pause: fc.boolean() }),
);

describe('a window', () => {
  test('F52: lets a message go while both counts are positive, and falls below zero by one frame at most [FLOW-1]', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 100 }), (steps) => {
        const window = new FlowWindow({ messages: 2, bytes: 1_000 });
        let [messages, bytes] = [2, 1_000];
        for (const step of steps) {
          if ('pause' in step) window.paused = step.pause;
          if ('grant' in step) {
            window.grant(...step.grant);
            messages += step.grant[0];
            bytes += step.grant[1];
          }
          if ('send' in step && window.isOpen) {
            expect(messages > 0 && bytes > 0 && !window.paused).toBe(true);
            window.spend(step.send);
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

  test('is open with one message and one byte left, and shut with none of either', () => {
    expect(new FlowWindow({ messages: 1, bytes: 1 }).isOpen).toBe(true);
    expect(new FlowWindow({ messages: 0, bytes: 1 }).isOpen).toBe(false);
    expect(new FlowWindow({ messages: 1, bytes: 0 }).isOpen).toBe(false);
  });

  test('takes a message larger than itself whole', () => {
    const window = new FlowWindow({ messages: 1, bytes: 1 });
    window.spend(1_000_000);
    expect(window).toMatchObject({ messages: 0, bytes: -999_999, isOpen: false });
  });

  test('that is paused sends nothing whatever is granted, and keeps its counts', () => {
    const window = new FlowWindow(defaultFlowCredit);
    window.paused = true;
    window.grant(1, 1);
    expect(window.isOpen).toBe(false);
    window.paused = false;
    expect(window).toMatchObject({ messages: 1_025, bytes: 1_048_577, isOpen: true });
  });

  test('takes grants up to 2^53-1 and no further, so the count never loses a message', () => {
    const window = new FlowWindow(defaultFlowCredit);
    window.grant(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    window.grant(Number.MAX_SAFE_INTEGER, 1);
    expect(window).toMatchObject({ messages: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER });
    window.spend(1);
    expect(window.messages).toBe(Number.MAX_SAFE_INTEGER - 1);
  });

  test('begins with 1,024 messages and 1 MiB [FLOW-1]', () => {
    expect(defaultFlowCredit).toEqual({ messages: 1_024, bytes: 1_048_576 });
  });
});

describe('the windows of a transaction', () => {
  test('are one for each channel, and a grant without a channel is for each, those to come included', () => {
    const windows = new SendWindows({ messages: 1, bytes: 10 });
    windows.of('AGENT').spend(10);
    windows.grant(undefined, 2, 20);
    windows.grant('USER', 5, 0);

    expect(windows.of('AGENT')).toMatchObject({ messages: 2, bytes: 20 });
    expect(windows.of('USER')).toMatchObject({ messages: 8, bytes: 30 });
    expect(windows.of('SYSTEM')).toMatchObject({ messages: 3, bytes: 30 });
  });

  test('are copied with what was paused, and go their own ways from there', () => {
    const each = new SendWindows({ messages: 3, bytes: 30 });
    each.pause('AGENT', true);
    const [one, other] = [each.copy(), each.copy()];
    one.pause('AGENT', false);
    one.of('AGENT').spend(30);
    one.grant(undefined, 1, 1);

    expect([one.of('AGENT').isOpen, other.of('AGENT').paused, each.of('AGENT').paused]).toEqual([true, true, true]);
    expect(other.of('USER')).toMatchObject({ messages: 3, bytes: 30, paused: false });
  });

  test('A32: name 64 channels and no more, so that no peer fills them without end', () => {
    const windows = new SendWindows(defaultFlowCredit);
    for (let n = 0; n < 64; n++) {
      expect(windows.mayName(`c${n}`)).toBe(true);
      windows.grant(`c${n}`, 1, 1);
    }
    expect([windows.mayName('c63'), windows.mayName('c64')]).toEqual([true, false]);
  });
});

describe('what a receiver allows', () => {
  const anyFrames = fc.array(anyBytes, { maxLength: 80 });
  const anyCredit = fc.record({ messages: fc.integer({ min: 1, max: 6 }), bytes: fc.integer({ min: 1, max: 3_000 }) });

  test('F52: whatever waits drains, in both directions at once, as what was taken is given back [FLOW-1]', () => {
    fc.assert(
      fc.property(fc.tuple(anyFrames, anyFrames), anyCredit, (queues, initial) => {
        for (const queue of queues) {
          const [sender, receiver] = [new FlowWindow(initial), new ReceiveWindow(initial)];
          let grants = 0;
          for (const bytes of queue) {
            expect(sender.isOpen).toBe(true);
            sender.spend(bytes);
            expect(receiver.arrive(bytes)).toBe(true);
            if (!receiver.taken(bytes)) continue;
            const { messages = 0, bytes: given = 0 } = receiver.giveBack() ?? {};
            sender.grant(messages, given);
            expect(sender).toMatchObject(initial);
            grants++;
          }
          const sum = queue.reduce((all, bytes) => all + bytes, 0);
          expect(grants).toBeLessThanOrEqual((2 * queue.length) / initial.messages + (2 * sum) / initial.bytes);
        }
      }),
    );
  });

  test('is given back when half of the messages or half of the bytes were taken, and not before', () => {
    const byMessages = new ReceiveWindow({ messages: 10, bytes: 1_000 });
    expect([1, 2, 3, 4, 5].map(() => byMessages.taken(1))).toEqual([false, false, false, false, true]);
    expect(byMessages.giveBack()).toEqual({ messages: 5, bytes: 5 });
    expect(byMessages.giveBack()).toBeUndefined();
    const byBytes = new ReceiveWindow({ messages: 10, bytes: 1_000 });
    expect([byBytes.taken(499), byBytes.taken(1)]).toEqual([false, true]);
  });

  test('knows what was sent beyond it, and counts that too', () => {
    const window = new ReceiveWindow({ messages: 2, bytes: 1_000 });
    expect([1, 2, 3].map(() => window.arrive(10))).toEqual([true, true, false]);
    for (let n = 0; n < 3; n++) window.taken(10);
    expect(window.giveBack()).toEqual({ messages: 3, bytes: 30 });
    expect([1, 2, 3].map(() => window.arrive(10))).toEqual([true, true, false]);
  });
});

import type { Frame } from '@haip/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameMessages } from '../src/server-frames.ts';

interface Message {
  readonly kind: number;
  readonly payload: Buffer;
}

/** Reads unmasked, unfragmented messages as RFC 6455 §5.2 lays them out. */
function readMessages(written: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < written.length; ) {
    const kind = written[at] as number;
    let length = written[at + 1] as number;
    at += 2;
    if (length === 126) {
      length = written.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(written.readBigUInt64BE(at));
      at += 8;
    }
    messages.push({ kind, payload: written.subarray(at, at + length) });
    at += length;
  }
  return messages;
}

function expectWritten(frames: readonly Frame[]): void {
  const expected = frames.flatMap(({ text, bytes }) => [
    { kind: 0x81, payload: Buffer.from(text) },
    ...(bytes ? [{ kind: 0x82, payload: Buffer.from(bytes) }] : []),
  ]);
  expect(readMessages(frameMessages(frames))).toEqual(expected);
}

test.each([0, 1, 41, 42, 125, 126, 21_845, 65_535, 65_536, 90_000])(
  'a text of %i characters is one message, whatever its bytes',
  (length) => {
    for (const character of ['a', 'é', '語']) expectWritten([{ text: character.repeat(length), shared: false }]);
  },
);

test('frames of one turn stand one after the other, each with its bytes behind it', () => {
  const frame = fc.record({
    text: fc.string({ unit: 'grapheme', maxLength: 300 }),
    bytes: fc.option(fc.uint8Array({ maxLength: 200 }), { nil: undefined }),
    shared: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(frame, { minLength: 1, maxLength: 12 }), (frames) => expectWritten(frames)));
});

test('a shared frame is written again and again from one Buffer, beginning with the second time', () => {
  const frame: Frame = { text: 'é'.repeat(100), bytes: new Uint8Array([1, 2, 3]), shared: true };
  expectWritten([frame]);
  const second = frameMessages([frame]);
  expect(frameMessages([frame])).toBe(second);
  expectWritten([frame]);
  expectWritten([{ text: 'before', shared: false }, frame, { text: 'after', shared: false }]);
});

test('a Buffer that was written stays as it is when others are made', () => {
  const first = frameMessages([{ text: 'first', shared: false }]);
  const copy = Buffer.from(first);
  frameMessages([{ text: 'other', shared: false }]);
  expect(first.equals(copy)).toBe(true);
});

test("another transport's memo is not taken for ours", () => {
  const frame: Frame = { text: 'hello', shared: true, memo: { message: Buffer.from('data: hello') } };
  expectWritten([frame]);
  expectWritten([frame]);
  expectWritten([frame]);
});

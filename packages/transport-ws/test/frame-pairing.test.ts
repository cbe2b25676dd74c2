import { defaultCodecLimits, type Envelope, encode, Fault, type Incoming, type Received } from '@haip/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FramePairing } from '../src/frame-pairing.ts';
import { envelope } from './support.ts';

function pairing(limits = defaultCodecLimits) {
  const out: Incoming[] = [];
  const sizes: number[] = [];
  const pair = new FramePairing(
    {
      put: (incoming, size) => {
        out.push(incoming);
        sizes.push(size);
      },
    },
    limits,
  );
  const text = (fields: Partial<Envelope> | string) => {
    const written = typeof fields === 'string' ? fields : encode(envelope(fields));
    pair.text(written, Buffer.byteLength(written));
  };
  return { out, sizes, text, binary: (length: number) => pair.binary(new Uint8Array(length)) };
}

function fault(incoming: Incoming | undefined): Fault {
  expect(incoming).toBeInstanceOf(Fault);
  return incoming as Fault;
}

test('an envelope without bin_len comes at once, with its size in bytes', () => {
  const { out, text } = pairing();
  text({ payload: 'é' });
  expect(out).toEqual([
    {
      envelope: envelope({ payload: 'é' }),
      bytes: undefined,
      size: Buffer.byteLength(encode(envelope({ payload: 'é' }))),
    },
  ]);
});

test('an envelope with bin_len comes with its bytes, and not before', () => {
  const { out, sizes, text, binary } = pairing();
  text({ bin_len: 3 });
  expect(out).toEqual([]);
  binary(3);
  const received = out[0] as Received;
  expect(received.bytes).toEqual(new Uint8Array(3));
  expect(received.size).toBe(encode(envelope({ bin_len: 3 })).length + 3);
  expect(sizes).toEqual([received.size]);
});

test('a bin_len of 0 is followed by an empty binary message', () => {
  const { out, text, binary } = pairing();
  text({ bin_len: 0 });
  binary(0);
  expect((out[0] as Received).bytes).toEqual(new Uint8Array(0));
});

test.each([[], [{}]])(
  'A17: bytes without an envelope before them are a PROTOCOL_VIOLATION that closes 1003',
  (...before) => {
    const { out, text, binary } = pairing();
    for (const fields of before) text(fields);
    binary(2);
    expect(fault(out.at(-1))).toMatchObject({ code: 'PROTOCOL_VIOLATION', close: 1003 });
  },
);

test.each([2, 4])('A18: bin_len 3 with %i bytes drops both and names the message', (length) => {
  const { out, text, binary } = pairing();
  text({ bin_len: 3 });
  binary(length);
  text({ id: 'm2' });
  expect(fault(out[0])).toMatchObject({
    code: 'PROTOCOL_VIOLATION',
    relatedId: 'm1',
    transaction: 't1',
    expected: '3 bytes',
    got: `${length} bytes`,
    close: undefined,
  });
  expect((out[1] as Received).envelope.id).toBe('m2');
});

test.each(['1e15', '-1', '1.5', '"3"'])(
  'A19: bin_len %s is refused at the envelope, and the bytes behind it fall with it',
  (value) => {
    const { out, text, binary } = pairing();
    text(encode(envelope()).replace('{', `{"bin_len":${value},`));
    binary(4);
    text({ id: 'm2' });
    expect(fault(out[0])).toMatchObject({ code: 'PROTOCOL_VIOLATION', relatedId: 'm1', close: undefined });
    expect((out[1] as Received).envelope.id).toBe('m2');
    expect(out).toHaveLength(2);
  },
);

test('only the bytes right behind a refused envelope fall with it', () => {
  const { out, text, binary } = pairing();
  text('not JSON');
  binary(1);
  binary(1);
  expect(fault(out[1])).toMatchObject({ close: 1003 });
});

test('A20: text where bytes are due costs the waiting envelope, and is itself taken', () => {
  const { out, text, binary } = pairing();
  text({ bin_len: 3 });
  text({ id: 'm2' });
  expect(fault(out[0])).toMatchObject({ code: 'PROTOCOL_VIOLATION', relatedId: 'm1', got: 'a text message' });
  expect((out[1] as Received).envelope.id).toBe('m2');
  binary(3);
  expect(fault(out[2])).toMatchObject({ close: 1003 });
});

test('A20: of two envelopes and two binaries the first is dropped and the second takes the next bytes', () => {
  const { out, text, binary } = pairing();
  text({ id: 'm1', bin_len: 3 });
  text({ id: 'm2', bin_len: 3 });
  binary(3);
  binary(3);
  expect(fault(out[0]).relatedId).toBe('m1');
  expect((out[1] as Received).envelope.id).toBe('m2');
  expect(fault(out[2]).close).toBe(1003);
});

test('A4: a text is measured in bytes: at the limit it is read, one over it closes 1009', () => {
  const written = encode(envelope({ payload: 'ééé' }));
  const size = Buffer.byteLength(written);
  const at = pairing({ ...defaultCodecLimits, maxTextBytes: size });
  at.text(written);
  expect(at.out[0]).not.toBeInstanceOf(Fault);
  const over = pairing({ ...defaultCodecLimits, maxTextBytes: size - 1 });
  over.text(written);
  expect(fault(over.out[0])).toMatchObject({ code: 'MESSAGE_TOO_LARGE', close: 1009 });
});

test('A20: whatever the order of messages, an envelope comes with exactly its bytes or not at all', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('text' as const), length: fc.option(fc.nat(3), { nil: undefined }) }),
    fc.record({ kind: fc.constant('binary' as const), length: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const { out, text, binary } = pairing();
      const expected: string[] = [];
      steps.forEach((current, index) => {
        if (current.kind === 'binary') {
          binary(current.length);
          return;
        }
        text({ id: `m${index}`, ...(current.length === undefined ? {} : { bin_len: current.length }) });
        const next = steps[index + 1];
        const whole = current.length === undefined || (next?.kind === 'binary' && next.length === current.length);
        if (whole) expected.push(`m${index}`);
      });
      const whole = out.filter((incoming): incoming is Received => !(incoming instanceof Fault));
      expect(whole.map(({ envelope: { id } }) => id)).toEqual(expected);
      for (const { envelope: written, bytes } of whole) expect(bytes?.length).toBe(written.bin_len);
    }),
  );
});

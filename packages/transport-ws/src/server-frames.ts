// Writes frames as RFC 6455 messages of a server: unmasked, unfragmented, uncompressed, any number of them in one
// Buffer. Owns what it leaves in `Frame.memo`. Never touches a socket.
//
// Measured (Node 24, 2 cores, 300-byte envelopes, a bare echo, server CPU per 100,000 messages): `send` of ws for each
// 610 ms; the same under cork and uncork of a turn 225 ms; one Buffer of exactly measured size 139 ms (text beyond
// ASCII 191 ms); written into the scratch space and copied out, as here, 120 ms (137 ms).

import type { Frame } from '@haip/protocol';

const finalText = 0x81;
const finalBinary = 0x82;
const longestHeader = 10;

/** Space that is written first and copied from, so that a text's length in UTF-8 is learned by writing it. */
const scratch = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * What this module makes of a shared frame. A class of its own: the memo may have been set by another transport.
 * The message is made for the second reader, not the first: a frame with one reader is not kept twice.
 */
class SharedMessage {
  message: Buffer | undefined;
}

/** The messages of all frames in one Buffer, to be written to the socket as it is and never changed. */
export function frameMessages(frames: readonly Frame[]): Buffer {
  let room = 0;
  for (const frame of frames) room += sharedMessage(frame)?.length ?? mostRoom(frame);
  const only = frames.length === 1 ? madeMessage(frames[0] as Frame) : undefined;
  if (only) return only;
  const target = spaceFor(room);
  let end = 0;
  for (const frame of frames) {
    const made = madeMessage(frame);
    end = made ? end + made.copy(target, end) : writeFrame(frame, target, end);
  }
  return target === scratch ? copyInto(Buffer.allocUnsafe(end), target) : target.subarray(0, end);
}

function madeMessage(frame: Frame): Buffer | undefined {
  return frame.memo instanceof SharedMessage ? frame.memo.message : undefined;
}

/** The message made once for all readers, beginning with the second one. */
function sharedMessage(frame: Frame): Buffer | undefined {
  if (!frame.shared) return undefined;
  if (!(frame.memo instanceof SharedMessage)) {
    frame.memo = new SharedMessage();
    return undefined;
  }
  if (!frame.memo.message) {
    const target = spaceFor(mostRoom(frame));
    // Memory of its own: a piece of Node's pool would keep the whole pool block alive as long as the frame.
    frame.memo.message = copyInto(Buffer.allocUnsafeSlow(writeFrame(frame, target, 0)), target);
  }
  return frame.memo.message;
}

function spaceFor(room: number): Buffer {
  return room <= scratch.length ? scratch : Buffer.allocUnsafeSlow(room);
}

function copyInto(copy: Buffer, source: Buffer): Buffer {
  source.copy(copy, 0, 0, copy.length);
  return copy;
}

/** A UTF-16 unit has at most three bytes in UTF-8. */
function mostRoom(frame: Frame): number {
  const text = longestHeader + frame.text.length * 3;
  return frame.bytes ? text + longestHeader + frame.bytes.length : text;
}

function writeFrame(frame: Frame, target: Buffer, at: number): number {
  const end = writeText(frame.text, target, at);
  return frame.bytes ? writeBytes(frame.bytes, target, end) : end;
}

function writeText(text: string, target: Buffer, at: number): number {
  const guess = headerLength(text.length);
  const length = target.write(text, at + guess);
  const header = headerLength(length);
  if (header !== guess) target.copyWithin(at + header, at + guess, at + guess + length);
  writeHeader(finalText, length, target, at);
  return at + header + length;
}

function writeBytes(bytes: Uint8Array, target: Buffer, at: number): number {
  const start = at + headerLength(bytes.length);
  writeHeader(finalBinary, bytes.length, target, at);
  target.set(bytes, start);
  return start + bytes.length;
}

function headerLength(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : longestHeader;
}

function writeHeader(kind: number, length: number, target: Buffer, at: number): void {
  target[at] = kind;
  if (length < 126) {
    target[at + 1] = length;
  } else if (length < 65_536) {
    target[at + 1] = 126;
    target.writeUInt16BE(length, at + 2);
  } else {
    target[at + 1] = 127;
    target.writeUInt32BE(0, at + 2);
    target.writeUInt32BE(length, at + 6);
  }
}

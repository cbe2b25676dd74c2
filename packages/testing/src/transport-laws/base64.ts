// Laws on bytes where a link has no binary frames: they are in the text, and have the limits that they have beside it.
// Spec: §7, §8.

import { defaultCodecLimits, type Frame, isJsonObject, toBase64 } from '@haip/protocol';
import { expect } from 'vitest';
import { connect, directions, envelope, frameOf, Gathered, type TransportLaw } from './context.ts';

const { maxTextBytes, maxBinaryBytes } = defaultCodecLimits;

function audioOf(length: number, type = 'AUDIO'): Frame {
  const data = toBase64(new Uint8Array(length).map((_, i) => i * 31));
  return frameOf(envelope({ type, payload: { mime: 'audio/webm', data } }));
}

const dataOf = (payload: unknown): unknown => (isJsonObject(payload) ? payload['data'] : undefined);

export const base64Laws: readonly TransportLaw[] = [
  {
    name: 'as many bytes as there may be arrive as base64, between their neighbours',
    needs: ({ binary }) => !binary,
    async run(open) {
      for (const [from, to] of directions(await connect(open))) {
        const gathered = new Gathered(to);
        const frames = [audioOf(0), audioOf(maxTextBytes), audioOf(maxBinaryBytes)];
        for (const frame of frames) {
          await from.send(frame);
          await from.send(frameOf(envelope()));
        }
        const received = await gathered.messages(2 * frames.length);
        const came = received.filter((_, i) => i % 2 === 0).map(({ envelope: { payload } }) => dataOf(payload));
        const sent = frames.map(({ text }) => dataOf(JSON.parse(text).payload));
        expect(came.every((data, i) => data === sent[i])).toBe(true);
      }
    },
  },
  {
    name: 'A4: a byte too many in base64 is a fault in its place, and the link goes on',
    needs: ({ binary }) => !binary,
    async run(open) {
      const { client, server } = await connect(open);
      const gathered = new Gathered(server);
      const frame = audioOf(maxBinaryBytes + 1);
      void client.send(frame);
      void client.send(frameOf(envelope()));
      const [fault, next] = await gathered.first(2);
      expect(fault).toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
        relatedId: JSON.parse(frame.text).id,
        close: undefined,
      });
      expect(next).toHaveProperty('envelope');
    },
  },
  {
    name: 'A4: what is longer than the limit for text and no audio is refused, base64 or not',
    needs: ({ binary }) => !binary,
    async run(open) {
      const { client, server } = await connect(open);
      const gathered = new Gathered(server);
      void client.send(audioOf(maxTextBytes, 'MESSAGE'));
      const [fault] = await gathered.first(1);
      expect(fault).toMatchObject({ code: 'MESSAGE_TOO_LARGE', close: 1009 });
    },
  },
];

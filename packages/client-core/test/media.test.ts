import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { setUp } from './scripted-server.ts';

const bytes = new Uint8Array([0, 127, 128, 255]);

describe('audio', () => {
  it('goes as one envelope with its bytes where the link can [AUDIO-1]', async () => {
    const { started } = setUp();
    const { peer, chat } = await started();
    // Whose own slice() would be no copy.
    const own = Buffer.from(bytes);
    const sending = chat.sendAudio({ bytes: own, mime: 'audio/webm', durationMs: 40 });
    own.fill(9);
    const sent = await peer.until('AUDIO');
    expect(sent).toMatchObject({
      bin_len: 4,
      bin_mime: 'audio/webm',
      channel: 'USER',
      bytes,
      payload: { mime: 'audio/webm', duration_ms: 40 },
    });
    peer.receipt(sent, 2);
    await sending;
    expect(chat.conversation.messages[0]?.audio).toEqual({ bytes, mime: 'audio/webm' });
  });

  it.each([
    ['the link can not', {}, { binary: false }],
    ['the server does not take binary frames', { capabilities: { transaction_log: true } }, {}],
  ])('goes as base64 where %s [SSE-3]', async (_why, welcome, link) => {
    const { client, connected } = setUp({}, link);
    const peer = await connected(welcome);
    const starting = client.startTransaction('echo');
    await peer.start();
    const chat = await starting;
    void chat.sendAudio({ bytes, mime: 'audio/webm' }).catch(() => {});
    const sent = await peer.until('AUDIO');
    expect(sent.payload).toEqual({ mime: 'audio/webm', data: 'AH+A/w==' });
    expect(sent).not.toHaveProperty('bin_len');
    client.disconnect();
  });

  it('of what is no media type is refused before anything is written', async () => {
    const { started } = setUp();
    const { peer, chat } = await started();
    await expect(chat.sendAudio({ bytes, mime: 'a"\r\nb' })).rejects.toThrow(TypeError);
    expect(peer.types).not.toContain('AUDIO');
  });

  it.each([undefined, 'abc', new ArrayBuffer(4), new Blob(['abc'])])(
    'of %s instead of bytes is refused',
    async (none) => {
      const { started } = setUp();
      const { peer, chat } = await started();
      await expect(chat.sendAudio({ bytes: none as never, mime: 'audio/webm' })).rejects.toThrow(TypeError);
      expect(peer.types).not.toContain('AUDIO');
    },
  );

  it('F2: is sent again whole under the same id', async () => {
    const { started, transport, reconnected } = setUp();
    const { peer, chat } = await started();
    void chat.sendAudio({ bytes, mime: 'audio/webm' }).catch(() => {});
    const { id } = await peer.until('AUDIO');
    transport.last.cut();
    const again = await reconnected();
    await again.welcome();
    expect(await again.until('AUDIO')).toMatchObject({ id, bytes });
  });

  it('from the server is in the entry, whichever way its bytes came', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const audio = { type: 'AUDIO', transaction: 'T' };
    peer.send({ ...audio, id: 'a', seq: '2', bin_mime: 'audio/webm', payload: { mime: 'audio/webm' } }, bytes);
    peer.send({ ...audio, id: 'b', seq: '3', payload: { mime: 'audio/webm', data: 'AH+A/w==' } });
    await clock.settle();
    const [raw, inText] = chat.conversation.messages;
    expect(raw?.audio).toEqual({ bytes, mime: 'audio/webm' });
    expect(inText?.audio).toEqual(raw?.audio);
    expect(inText?.payload).toEqual(raw?.payload);
    expect((await chat.messages().next()).value?.id).toBe('a');
  });
});

describe('a stream of the user', () => {
  it('writes START, PARTs and END under one message id, and shows as it does to others [TEXT-1]', async () => {
    const { clock, started } = setUp();
    const { peer, chat } = await started();
    const writer = chat.stream({ author: 'Ann' });
    const writing = [writer.write('Hel'), writer.write('lo'), writer.end()];
    await clock.settle();
    const sent = peer.received.slice(2);
    const message_id = writer.messageId;
    expect(sent.map(({ type, payload }) => ({ type, payload }))).toEqual([
      { type: 'MESSAGE_START', payload: { message_id, author: 'Ann' } },
      { type: 'MESSAGE_PART', payload: { message_id, text: 'Hel' } },
      { type: 'MESSAGE_PART', payload: { message_id, text: 'lo' } },
      { type: 'MESSAGE_END', payload: { message_id } },
    ]);
    for (const [index, envelope] of sent.entries()) peer.receipt(envelope, index + 2);
    await Promise.all(writing);
    expect(chat.conversation.messages).toMatchObject([
      { id: message_id, text: 'Hello', author: 'Ann', status: 'complete', position: 2 },
    ]);
    await expect(writer.write('late')).rejects.toMatchObject({ code: 'ended' });
    await writer.end();
  });

  it('that is refused at its START tells whoever writes, and nobody else', async () => {
    const { started } = setUp();
    const { peer, chat } = await started();
    const writer = chat.stream();
    peer.error(await peer.until('MESSAGE_START'), { code: 'UNAUTHORIZED', retry: false });
    void chat.sendText('Hello').catch(() => {});
    await peer.until('MESSAGE');
    await expect(writer.write('x')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});

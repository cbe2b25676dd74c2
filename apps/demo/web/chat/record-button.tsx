// Records a piece of audio and sends it: press to begin, press to send. Only where the browser can.

import { useEffect, useRef, useState } from 'react';
import { MicrophoneIcon, StopIcon } from '../parts/icons.tsx';
import { useChatStore } from './use-chat.ts';

const longestMs = 30_000;
const canRecord = (): boolean => navigator.mediaDevices !== undefined && typeof MediaRecorder === 'function';

/** Records until `stop`; resolves with what was heard. */
async function record(): Promise<{ stop: () => void; audio: Promise<Blob> }> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream, { audioBitsPerSecond: 32_000 });
  const chunks: Blob[] = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  const audio = new Promise<Blob>((resolve) => {
    recorder.onstop = () => {
      for (const track of stream.getTracks()) track.stop();
      resolve(new Blob(chunks, { type: recorder.mimeType }));
    };
  });
  recorder.start();
  return { stop: () => recorder.state === 'recording' && recorder.stop(), audio };
}

export function RecordButton({ disabled }: { readonly disabled: boolean }) {
  const store = useChatStore();
  const [isRecording, setIsRecording] = useState(false);
  const [isRefused, setIsRefused] = useState(false);
  const stop = useRef<() => void>(undefined);

  useEffect(() => {
    if (!isRecording) return;
    const timer = setTimeout(() => stop.current?.(), longestMs);
    return () => {
      clearTimeout(timer);
      stop.current?.();
    };
  }, [isRecording]);

  const begin = async () => {
    try {
      const began = performance.now();
      const recording = await record();
      stop.current = recording.stop;
      setIsRecording(true);
      const audio = await recording.audio;
      setIsRecording(false);
      const bytes = new Uint8Array(await audio.arrayBuffer());
      await store.sendAudio({ bytes, mime: audio.type, durationMs: Math.round(performance.now() - began) });
    } catch {
      setIsRefused(true);
    }
  };

  if (!canRecord()) return null;
  return (
    <button
      type="button"
      className="record-button"
      data-recording={isRecording}
      disabled={disabled || isRefused}
      aria-label={isRecording ? 'Stop and send the recording' : 'Record audio'}
      title={isRefused ? 'The microphone is not open to this page' : undefined}
      onClick={() => (isRecording ? stop.current?.() : void begin())}
    >
      {isRecording ? <StopIcon /> : <MicrophoneIcon />}
    </button>
  );
}

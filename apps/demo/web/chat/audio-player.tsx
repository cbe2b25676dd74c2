// Plays a piece of audio. Whatever type its sender claims, the bytes only ever become the source of an audio element.

import { useEffect, useState } from 'react';

interface AudioPlayerProps {
  readonly bytes?: Uint8Array | undefined;
  readonly mime: string;
}

const playable = /^audio\/[a-z0-9.+-]{1,40}(?:;\s*codecs=[a-z0-9.,"-]{1,40})?$/i;

export function AudioPlayer({ bytes, mime }: AudioPlayerProps) {
  const [url, setUrl] = useState<string>();

  useEffect(() => {
    if (!bytes || !playable.test(mime)) return;
    const made = URL.createObjectURL(new Blob([bytes.slice()], { type: mime }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, mime]);

  if (!url) return <p className="message-note">A piece of audio that is no longer kept, or cannot be played here.</p>;
  // biome-ignore lint/a11y/useMediaCaption: live speech has no captions
  return <audio controls src={url} aria-label="Audio message" />;
}

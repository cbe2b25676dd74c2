// NDJSON as a stream of HAIP: a line is an envelope, an empty one keeps the stream alive, and one with a single word
// is about the stream itself. Pure. Spec: §7.

import type { StreamFormat } from '@haip/http-link/client';
import { lineReader, readControl } from '@haip/http-link/client';

/** How the client reads it. */
export const lines: StreamFormat = {
  contentType: 'application/x-ndjson',
  read: (take, longest) =>
    lineReader((line) => {
      if (line) take(...(readControl(line) ?? ['', line]));
    }, longest),
};

// The event stream format (WHATWG HTML §9.2) as a stream of HAIP: an event without a name is an envelope, a named one is
// about the stream itself, a comment keeps it alive. Pure. Spec: §7.

import { lineReader, type StreamFormat } from '@haip/http-link/client';

/** How the client reads it. */
export const events: StreamFormat = {
  contentType: 'text/event-stream',
  read(take, longest) {
    let name = '';
    let data: string[] = [];
    return lineReader((line) => {
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) as unknown as [string, string, string];
      if (field === 'event') name = value;
      else if (field === 'data') data.push(value);
      if (line) return;
      if (data.length > 0) take(name === 'message' ? '' : name, data.join('\n'));
      name = '';
      data = [];
    }, longest);
  },
};

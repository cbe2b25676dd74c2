// How the server writes a stream of events. Pure. Spec: §7.

import type { LinkKind } from '@haip/http-link/web';

export const defaultPath = '/haip/sse';

export const sseKind: LinkKind = {
  transport: 'sse',
  opensBy: 'GET',
  framing: {
    contentType: 'text/event-stream',
    open: (address) => `event: open\ndata: {"upstream":"${address}"}\n\n`,
    frame: (text) => `data: ${text}\n\n`,
    close: (json) => `event: close\ndata: ${json}\n\n`,
    alive: ':\n\n',
    probe: 'event: probe\ndata: true\n\n',
  },
};

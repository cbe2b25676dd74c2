// How the server writes a stream of NDJSON. Pure. Spec: §7.

import type { LinkKind } from '@haip/http-link/web';

export const defaultPath = '/haip/stream';

export const httpKind: LinkKind = {
  transport: 'http',
  opensBy: 'POST',
  framing: {
    contentType: 'application/x-ndjson',
    frame: (text) => `${text}\n`,
    close: (json) => `{"close":${json}}\n`,
    alive: '\n',
    probe: '{"probe":true}\n',
  },
};

// A Chromium and pages with our clients in them, bundled as an application would, for the tests of a file.

import { createServer } from 'node:http';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { chromiumArgs, findChromium } from '../../scripts/chromium.ts';
import { type Listening, listening } from './served.ts';

export interface Pages {
  /** Where they are, on 127.0.0.1. */
  readonly port: number;
  /** A page in a tab of its own, at that host; `haip` holds what our packages export. */
  open(host: '127.0.0.1' | 'localhost'): Promise<Page>;
}

/** Call it at the top of a test file. */
export function pages(): Pages {
  let browser: Browser;
  let site: Listening;

  beforeAll(async () => {
    const bundle = await bundled();
    site = await listening(
      createServer((request, response) => {
        const isScript = request.url === '/haip.js';
        response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
        response.end(isScript ? bundle : '<script src="/haip.js"></script>');
      }),
    );
    browser = await chromium.launch({ executablePath: findChromium() ?? '', args: chromiumArgs });
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  return {
    get port() {
      return site.port;
    },
    async open(host) {
      const page = await browser.newPage();
      onTestFinished(() => page.close());
      await page.goto(`http://${host}:${site.port}/`);
      return page;
    },
  };
}

async function bundled(): Promise<string> {
  const contents = `export { HAIPClient } from '@haip/client-core';
export { httpStream } from '@haip/transport-http/client';
export { serverSentEvents } from '@haip/transport-sse/client';
export { webSocket } from '@haip/transport-ws/client';`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'haip',
    platform: 'browser',
    conditions: ['@haip/source'],
  });
  return outputFiles[0]?.text ?? '';
}

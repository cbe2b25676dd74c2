// What a browser pays: the built entries, bundled, minified and compressed, each under its limit in bytes.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './sources.ts';

// What most pages load, and all there is. The first is to come down to 9,000; until then neither may grow.
const limits: Record<string, { contents: string; limit: number }> = {
  'a client over WebSocket': {
    contents: `import { HAIPClient } from '@haip/client-core';
      import { webSocket } from '@haip/transport-ws/client';
      globalThis.client = new HAIPClient({ transports: [webSocket({ url: '/haip/websocket' })] });`,
    limit: 12_080,
  },
  'the same with everything it exports': {
    contents: `export * from '@haip/client-core'; export * from '@haip/transport-ws/client';`,
    limit: 13_000,
  },
};

for (const [name, { contents, limit }] of Object.entries(limits)) {
  const result = await build({
    stdin: { contents, resolveDir: join(root, 'tests') },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  });
  const bytes = result.outputFiles[0]?.contents ?? new Uint8Array();
  const packed = gzipSync(bytes, { level: 9 }).length;
  console.log(`${name}: ${packed} bytes gzip of at most ${limit} (${bytes.length} minified)`);
  if (packed > limit) process.exitCode = 1;
}

// What a browser pays: the built entries, bundled, minified and compressed, each under its limit in bytes; for some the
// limit is on what they add to the client.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './sources.ts';

const client = `export * from '@haip/client-core';`;

// What most pages load, and all there is. The first is to come down to 9,000; until then either may grow only by what
// keeps a client from going silent or losing what it was given.
const limits: Record<string, { contents: string; limit: number; onTopOf?: string }> = {
  'a client over WebSocket': {
    contents: `import { HAIPClient } from '@haip/client-core';
      import { webSocket } from '@haip/transport-ws/client';
      globalThis.client = new HAIPClient({ transports: [webSocket({ url: '/haip/websocket' })] });`,
    limit: 12_740,
  },
  'the same with everything it exports': {
    contents: `${client} export * from '@haip/transport-ws/client';`,
    limit: 14_810,
  },
  'SSE on top of the client': {
    contents: `${client} export * from '@haip/transport-sse/client';`,
    limit: 2_500,
    onTopOf: client,
  },
  'streamed HTTP on top of the client': {
    contents: `${client} export * from '@haip/transport-http/client';`,
    limit: 2_500,
    onTopOf: client,
  },
};

for (const [name, { contents, limit, onTopOf }] of Object.entries(limits)) {
  const packed = (await packedBytes(contents)) - (onTopOf ? await packedBytes(onTopOf) : 0);
  console.log(`${name}: ${packed} bytes gzip of at most ${limit}`);
  if (packed > limit) process.exitCode = 1;
}

async function packedBytes(contents: string): Promise<number> {
  const result = await build({
    stdin: { contents, resolveDir: join(root, 'tests') },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  });
  return gzipSync(result.outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
}

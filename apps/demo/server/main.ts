// Starts the demo. PORT: the port (default 8080, or the next one that is free). HOST: the address to listen on (default
// this machine only). The other variables: see the README.

import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { hmacSigner } from '@haip/platform';
import { createKnowledge, type SourceDocument } from './assistant/knowledge.ts';
import { readModelSettings } from './assistant/model-assistant.ts';
import { createDemo, type Demo } from './demo-server.ts';
import { openHistory } from './history.ts';
import { listen } from './listen.ts';
import { readFileTable } from './static-files.ts';

const app = new URL('..', import.meta.url);
const repository = new URL('../..', app);

/** The documents of the repository that are there. */
function readDocuments(): SourceDocument[] {
  const docs = new URL('docs/', repository);
  const guides = existsSync(docs) ? readdirSync(docs, { recursive: true, encoding: 'utf8' }) : [];
  const names = ['README.md', 'spec/PROTOCOL.md', ...guides.map((name) => `docs/${name}`)];
  return names
    .filter((name) => name.endsWith('.md') && existsSync(new URL(name, repository)))
    .map((name) => ({ name, markdown: readFileSync(new URL(name, repository), 'utf8') }));
}

async function main(): Promise<void> {
  const built = new URL('dist/web/', app);
  if (!existsSync(new URL('index.html', built))) throw new Error('The page is not built yet: run `pnpm demo`.');

  const topics = readFileSync(new URL('assistant/topics.md', import.meta.url), 'utf8');
  const { HAIP_KEY: key, HAIP_NODE: node } = process.env;
  const history = await openHistory(process.env);
  try {
    const demo = createDemo({
      history,
      signer: key ? hmacSigner(key) : undefined,
      tell: node ? (line) => console.log(line) : undefined,
      files: readFileTable(fileURLToPath(built)),
      knowledge: createKnowledge(topics, readDocuments()),
      model: readModelSettings(process.env),
    });
    await serve(demo);
  } finally {
    await history.close();
  }
}

/** Listens until somebody asks the process to end. */
async function serve(demo: Demo): Promise<void> {
  const host = process.env['HOST'] || 'localhost';
  await listen(demo.http, host, process.env['PORT'] || undefined);
  const { port } = demo.http.address() as AddressInfo;
  // Who listens everywhere is reached here, too.
  const address = `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${port}`;
  console.log(`HAIP demo: ${address}  (ask the assistant to “count to 100”, cut the connection, watch it complete)`);

  // A second signal ends the process at once, as it would by default. Of several servers that one program started none
  // outlives it: a channel to whoever started this one breaks when that is gone.
  await Promise.race([
    once(process, 'SIGTERM').then(() => demo.drain()),
    once(process, 'SIGINT').then(() => demo.close()),
    once(process, 'disconnect').then(() => demo.close()),
  ]);
  if (process.connected) process.disconnect();
}

try {
  await main();
} catch (error) {
  console.error(`HAIP demo: ${(error as Error).message}`);
  process.exitCode = 1;
}

import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { chromiumArgs, findChromium } from './scripts/chromium.ts';
import { findNats } from './scripts/nats.ts';
import { findNginx } from './scripts/nginx.ts';
import { findPostgres, findPostgresPrograms } from './scripts/postgres.ts';
import { findRedis } from './scripts/redis.ts';

type Project = NonNullable<TestProjectInlineConfiguration['test']>;

const source = '@haip/source';
const chromium = required('Chromium', 'CHROMIUM_PATH, or chromium on PATH', 'browser and e2e tests', findChromium());
const nginx = required('nginx', 'NGINX_PATH, or nginx on PATH', 'tests behind a real proxy', findNginx());
const redis = required(
  'Redis',
  'HAIP_REDIS_URL, or one on 127.0.0.1:6379, and redis-server on PATH',
  'tests that need it',
  await findRedis(),
);
const postgres = required(
  'PostgreSQL',
  'HAIP_POSTGRES_URL, or a server on 127.0.0.1:5432 with a database test',
  'tests of its store',
  await findPostgres(),
);
const postgresPrograms = required(
  'initdb',
  'INITDB_PATH, /usr/lib/postgresql, or initdb on PATH',
  'tests that restart PostgreSQL',
  findPostgresPrograms(),
);
const nats = required(
  'NATS',
  'HAIP_NATS_URL, or one with JetStream on 127.0.0.1:4222, and NATS_SERVER_PATH, or nats-server on PATH',
  'tests of its store',
  await findNats(),
);

/** Says in a line what is left out without a program, or fails where nothing may be. */
function required(name: string, wanted: string, what: string, path: string | undefined): string | undefined {
  if (path) return path;
  const told = `${name} was not found (${wanted}): ${what}`;
  if (process.env['HAIP_REQUIRE_ALL'] === '1') throw new Error(`${told} cannot run.`);
  console.warn(`${told} are left out.`);
  return undefined;
}

const anywhere: Project[] = [
  {
    name: 'unit',
    include: ['{packages/*,apps/*,bench}/test/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: [
      '**/node_modules/**',
      '**/*.browser.test.ts',
      '**/*.e2e.test.ts',
      '**/*.nginx.test.ts',
      '**/*.redis.test.ts',
      '**/*.postgres.test.ts',
      '**/*.own-postgres.test.ts',
      '**/*.nats.test.ts',
    ],
  },
  { name: 'examples', include: ['examples/test/*.test.ts'] },
  // Last and alone: its threads take every core.
  { name: 'sim', include: ['sim/test/*.test.ts'], sequence: { groupOrder: 1 } },
];

const inChromium: Project[] = chromium
  ? [
      {
        name: 'browser',
        include: ['{packages/*/test,tests}/**/*.browser.test.ts'],
        browser: {
          enabled: true,
          headless: true,
          screenshotFailures: false,
          provider: playwright({ launchOptions: { executablePath: chromium, args: chromiumArgs } }),
          instances: [{ browser: 'chromium' }],
        },
      },
      {
        name: 'e2e',
        include: ['apps/*/test/**/*.e2e.test.ts', 'tests/**/*.e2e.test.ts'],
        exclude: redis ? [] : ['**/*.redis.e2e.test.ts'],
      },
    ]
  : [];

const behindNginx: Project[] = nginx ? [{ name: 'nginx', include: ['tests/**/*.nginx.test.ts'] }] : [];
const onRedis: Project[] = redis
  ? [{ name: 'redis', include: ['{packages/*/test,apps/*/test,bench/test,tests}/**/*.redis.test.ts'] }]
  : [];

const onPostgres: Project[] = [
  {
    name: 'postgres',
    include: [
      ...(postgres ? ['{packages/*/test,bench/test,tests}/**/*.postgres.test.ts'] : []),
      ...(postgresPrograms ? ['{packages/*/test,tests}/**/*.own-postgres.test.ts'] : []),
    ],
    env: { HAIP_POSTGRES_URL: postgres ?? '', HAIP_POSTGRES_PROGRAMS: postgresPrograms ?? '' },
  },
].filter(({ include }) => include.length > 0);
const onNats: Project[] = nats
  ? [
      {
        name: 'nats',
        include: ['{packages/*/test,bench/test,tests}/**/*.nats.test.ts'],
        env: { NATS_SERVER_PATH: nats },
      },
    ]
  : [];

export default defineConfig({
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...defaultServerConditions] } },
  test: {
    passWithNoTests: true,
    // Only what hangs is over time: a busy machine is no reason to fail.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'node_modules/.cache/haip/vitest.json' }]]
      : ['default'],
    coverage: { include: ['packages/*/src/**'] },
    projects: [...anywhere, ...behindNginx, ...onRedis, ...onPostgres, ...onNats, ...inChromium].map((test) => ({
      extends: true,
      test,
    })),
  },
});

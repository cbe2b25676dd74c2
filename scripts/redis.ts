// What tests need of Redis: one that answers, HAIP_REDIS_URL or 127.0.0.1:6379, and the program for those that restart it.
import { findProgram } from './programs.ts';
import { answers } from './services.ts';

/** The path of redis-server where there is one and a Redis answers, else undefined. */
export async function findRedis(): Promise<string | undefined> {
  if (!(await answers(process.env['HAIP_REDIS_URL'] ?? 'redis://127.0.0.1:6379', 6379))) return undefined;
  return findProgram({ variable: 'REDIS_SERVER_PATH', usualPlaces: [], names: ['redis-server'] });
}

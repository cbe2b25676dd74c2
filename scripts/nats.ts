// What tests need of NATS: one that answers, HAIP_NATS_URL or 127.0.0.1:4222, and the program for those that restart it.
import { findProgram } from './programs.ts';
import { answers } from './services.ts';

/** The path of nats-server where there is one and a NATS answers, else undefined. */
export async function findNats(): Promise<string | undefined> {
  if (!(await answers(process.env['HAIP_NATS_URL'] ?? 'nats://127.0.0.1:4222', 4222))) return undefined;
  const usualPlaces = ['/usr/sbin/nats-server', '/usr/local/bin/nats-server', '/opt/homebrew/bin/nats-server'];
  return findProgram({ variable: 'NATS_SERVER_PATH', usualPlaces, names: ['nats-server'] });
}

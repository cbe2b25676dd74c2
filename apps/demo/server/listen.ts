// Finds the port to listen on: the one that was asked for, or the first free one from 8080 on.

import type { Server } from 'node:http';

const usualPort = 8080;
const portsTried = 20;

function tryToListen(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve(true);
    });
  });
}

/**
 * Resolves when `server` listens. A port that was asked for is taken or refused; without one the next free is taken.
 * @throws Error when the port is none, or taken.
 */
export async function listen(server: Server, host: string, asked?: string): Promise<void> {
  if (asked !== undefined) {
    if (!/^\d{1,5}$/.test(asked) || Number(asked) > 65_535) throw new Error(`PORT: expected 0 to 65535, got ${asked}`);
    if (!(await tryToListen(server, host, Number(asked)))) throw new Error(`PORT ${asked} is taken.`);
    return;
  }
  for (let port = usualPort; port < usualPort + portsTried; port++) if (await tryToListen(server, host, port)) return;
  throw new Error(`No free port from ${usualPort} to ${usualPort + portsTried - 1}: choose one with PORT.`);
}

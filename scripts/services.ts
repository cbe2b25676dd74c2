// Whether a server that some tests need is there. Looks only; starts nothing.
import { connect } from 'node:net';

/** How long a server on this machine may take to answer: a busy one takes its time. */
const ANSWER_MS = 5_000;

/** Whether somebody listens on the port of a URL, or on `port` where it names none. */
export function answers(url: string, port: number): Promise<boolean> {
  const { hostname, port: named } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(named || port) });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.setTimeout(ANSWER_MS, () => end(false));
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

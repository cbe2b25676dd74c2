// What a transport law is given over HTTP: a link there is open once its HAI was answered, so that happens first.

import type { Connection, Frame, Transport } from '@haip/protocol';

/** It does not count, so that the laws may number as they like. */
export const hai: Frame = {
  text: '{"id":"hai","transaction":null,"session":"s","seq":"0","ts":"0","channel":"USER","type":"HAI","payload":{}}',
  shared: false,
};

/** Says HAI and waits for the answer, as every client does. */
export function greeting({ name, dial }: Transport): Transport {
  return {
    name,
    async dial(options, signal) {
      const connection = await dial(options, signal);
      const giveUp = () => connection.close(1006);
      signal.addEventListener('abort', giveUp);
      if (signal.aborted) giveUp();
      void connection.send(hai);
      const greeted = await afterFirst(connection);
      signal.removeEventListener('abort', giveUp);
      signal.throwIfAborted();
      if (!greeted) throw new Error((await connection.closed).reason);
      return greeted;
    },
  };
}

/** The connection behind its first message; undefined when it ended before. */
export async function afterFirst(connection: Connection): Promise<Connection | undefined> {
  const batches = connection[Symbol.asyncIterator]();
  const first = await batches.next();
  if (first.done) return undefined;
  const rest = first.value.slice(1);
  return new Proxy(connection, {
    get(target, key) {
      if (key === Symbol.asyncIterator) return () => behind(rest, batches);
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function* behind<Batch extends readonly unknown[]>(
  rest: Batch,
  batches: AsyncIterator<Batch>,
): AsyncGenerator<Batch> {
  if (rest.length > 0) yield rest;
  for (let next = await batches.next(); !next.done; next = await batches.next()) yield next.value;
}

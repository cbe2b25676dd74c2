// The store on NATS beside a loop that publishes to JetStream, waits for its acknowledgement, and reads by a consumer.

import { randomUUID } from 'node:crypto';
import { natsHistory } from '@haip/history-nats';
import type { Draft } from '@haip/protocol';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { OpenStore } from '../opened-store.ts';

const servers = process.env['HAIP_NATS_URL'] ?? 'nats://127.0.0.1:4222';
const PAGE = 200;

export const open: OpenStore = async (logs) => {
  const name = `haip-bench-${randomUUID().slice(0, 8)}`;
  const store = await natsHistory({ servers, name, windowSize: 1_000_000, maxBytes: 2 ** 30 });
  const connection = await connect({ servers });
  const [manager, stream] = [await jetstreamManager(connection), jetstream(connection)];
  await manager.streams.add({ name: `bare-${name}`, subjects: [`bare-${name}.*`] });
  const subjectOf = (log: number): string => `bare-${name}.${log}`;
  /** The sequences of the log that is read. */
  const seqs: number[] = [];
  const append = async (log: number, { digest: _, subject: __, ...body }: Draft): Promise<void> => {
    const { seq } = await stream.publish(subjectOf(log), JSON.stringify(body));
    if (log === logs) seqs.push(seq);
  };
  return {
    what: `NATS ${connection.info?.version}, file storage`,
    store,
    bare: {
      append,
      async fill(drafts) {
        await Promise.all(drafts.map((draft) => append(logs, draft)));
        seqs.sort((a, b) => a - b);
      },
      async read(from) {
        const first = seqs[from - 1];
        if (first === undefined) return 0;
        const most = Math.min(PAGE, seqs.length - from + 1);
        const consumer = await stream.consumers.get(`bare-${name}`, {
          filter_subjects: subjectOf(logs),
          opt_start_seq: first,
        });
        let count = 0;
        for await (const message of await consumer.fetch({ max_messages: most })) {
          message.json();
          count++;
        }
        return count;
      },
    },
    // NATS does not tell its clients what it costs.
    engineMicros: () => 0,
    async storedBytes() {
      const infos = await Promise.all([name, `${name}_index`].map((one) => manager.streams.info(one)));
      return infos.reduce((sum, { state }) => sum + state.bytes, 0);
    },
    async end() {
      await Promise.all([name, `${name}_index`, `bare-${name}`].map((one) => manager.streams.delete(one)));
      await connection.close();
    },
  };
};

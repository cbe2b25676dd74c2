// Values that are replaced on condition, where a cluster stores several that come together.
import { randomBytes } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { type Registered, readRegister, writeRegister } from '../src/register.ts';
import { Stream } from '../src/stream.ts';
import { LooseExchange } from './loose-exchange.ts';
import { servers } from './streams.ts';

test('F56: of several that claim or replace together on a cluster one has done it, and counts for all', async () => {
  const name = `test-${randomBytes(6).toString('hex')}`;
  const nc = await connect({ servers });
  const { streams } = await jetstreamManager(nc);
  await streams.add({ name, subjects: [`${name}.*`], allow_direct: true });
  const exchange = new LooseExchange(nc, 5000, { nobody() {}, late() {} });
  const stream = new Stream({ name, node: 'node', exchange, isReplicated: true });
  let mostAtOnce = 0;
  for (let round = 0; round < 20; round++) {
    const subject = `${name}.${round}`;
    let known: Registered<string> | null = null;
    for (let times = 0; times < 4; times++) {
      const values = ['ann', 'bob', 'cleo', 'dan'].map((who) => `${who} ${times}`);
      const claim = (value: string) => writeRegister(stream, subject, known, { value, id: `${subject} ${value}` });
      const seqs = await Promise.all(values.map(claim));
      const winners = values.filter((_, i) => seqs[i] !== undefined);
      known = await readRegister<string>(stream, subject);
      expect([known?.value]).toEqual(winners);
      mostAtOnce = Math.max(mostAtOnce, known?.all.length ?? 0);
    }
  }
  expect(mostAtOnce).toBeGreaterThan(1);
  exchange.close('the test is over');
  await streams.delete(name);
  await nc.close();
});

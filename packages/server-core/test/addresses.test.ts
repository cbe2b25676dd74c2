import { fakeClock } from '@haip/testing';
import { expect, test } from 'vitest';
import { Addresses, neighbourhoodOf } from '../src/addresses.ts';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::2', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['127.0.0.1', undefined],
  ['::ffff:127.1.2.3', undefined],
  ['::1', undefined],
  ['', undefined],
  [undefined, undefined],
])('%s counts as %s', (address, expected) => {
  expect(neighbourhoodOf(address)).toBe(expected);
});

test('of 10,001 addresses with refusals the oldest is forgotten, and one that behaved for a minute', async () => {
  const clock = fakeClock();
  const addresses = new Addresses(clock, { maxConnectionsPerAddress: 1, maxAuthFailures: 1 });
  for (let n = 0; n < 10_001; n++) addresses.failed(`address-${n}`);

  expect([addresses.barred('address-0'), addresses.barred('address-1')?.retryAfterMs]).toEqual([undefined, 60_000]);
  await clock.advance(60_000);
  expect(addresses.barred('address-1')).toBeUndefined();
});

test('connections that came and went leave nothing', () => {
  const addresses = new Addresses(fakeClock(), { maxConnectionsPerAddress: 2, maxAuthFailures: 1 });
  for (let n = 0; n < 10; n++) {
    expect([addresses.enter('a'), addresses.enter('a')]).toEqual([undefined, undefined]);
    expect(addresses.enter('a')).toMatchObject({ reason: 'too many connections' });
    addresses.leave('a');
    addresses.leave('a');
  }
});

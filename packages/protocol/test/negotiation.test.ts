import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fault, negotiate, protocolMajor, protocolVersion, type Terms } from '../src/index.ts';

const ours = { haip_version: '1.1.2', accept_major: [1], capabilities: { transaction_log: true, binary_frames: true } };

describe('versions', () => {
  test.each([
    { haip_version: '9', accept_major: [2] },
    { haip_version: '1.1.2', accept_major: [2] },
    { haip_version: '1.1.2', accept_major: [] },
    { haip_version: '9' },
    { haip_version: '2.0.0' },
    { haip_version: '' },
    { haip_version: 'one' },
    { haip_version: '1e0' },
    { haip_version: '0x1' },
    { haip_version: ' 1' },
    { haip_version: '11' },
    { accept_major: ['1'] },
  ])('A16: %j shares no major: VERSION_INCOMPATIBLE, closed 1008 [HAI-4]', (payload) => {
    expect(negotiate(payload)).toMatchObject({ code: 'VERSION_INCOMPATIBLE', close: 1008 });
  });

  test.each([
    {},
    { haip_version: '1.1.2' },
    { haip_version: '1' },
    { haip_version: '1.9' },
    { haip_version: '9', accept_major: [2, 1] },
    { accept_major: [1] },
  ])('A16: %j shares one', (payload) => {
    expect(negotiate(payload)).not.toBeInstanceOf(Fault);
  });

  test('this implementation speaks its own major', () => {
    expect(Number.parseInt(protocolVersion, 10)).toBe(protocolMajor);
    expect(negotiate({ haip_version: protocolVersion })).not.toBeInstanceOf(Fault);
  });
});

describe('terms', () => {
  const terms = (payload: Parameters<typeof negotiate>[0]) => negotiate(payload) as Terms;

  test("the log's rules hold only for a peer that says so in as many words [HAI-19]", () => {
    expect(terms(ours).transactionLog).toBe(true);
    for (const transaction_log of ['true', 1, {}, null, false]) {
      expect(terms({ ...ours, capabilities: { transaction_log } as never }).transactionLog).toBe(false);
    }
    for (const capabilities of [undefined, [], 'transaction_log', 5] as never[]) {
      expect(terms({ ...ours, capabilities })).toMatchObject({ transactionLog: false, binaryFrames: false });
    }
  });

  test('without accept_events a peer takes every type', () => {
    expect(terms(ours).events).toBeUndefined();
  });

  test('accept_events always includes what the protocol itself needs [HAI-20]', () => {
    const { events } = terms({ ...ours, accept_events: ['MESSAGE'] });
    expect([...(events ?? [])].sort()).toEqual(['ERROR', 'FLOW_UPDATE', 'HAI', 'INFO', 'MESSAGE', 'PING', 'PONG']);
  });

  test('what a plain v1 peer lists is not held against it', () => {
    expect(terms({ haip_version: '1.1.2', accept_events: ['MESSAGE'] }).events).toBeUndefined();
  });

  test('flow_control brings windows: as it says, and by default where it says nothing [FLOW-1]', () => {
    const flow = (flow_control: unknown) =>
      terms({ capabilities: { transaction_log: true, flow_control } } as never).flow;
    expect(flow({ initial_credit_messages: 0, initial_credit_bytes: 7 })).toEqual({ messages: 0, bytes: 7 });
    expect(flow({ initial_credit_messages: 3 })).toEqual({ messages: 3, bytes: 1_048_576 });
    for (const all of [true, {}]) expect(flow(all)).toEqual({ messages: 1_024, bytes: 1_048_576 });
    for (const none of [undefined, false, null, 5, 'yes', []]) expect(flow(none)).toBeUndefined();
  });

  test('a plain v1 peer has no windows, whatever it offers [FLOW-1]', () => {
    expect(terms({ capabilities: { flow_control: { initial_credit_messages: 3 } } }).flow).toBeUndefined();
  });

  test('any payload gives terms or a fault', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        const answer = negotiate(payload as never);
        return answer instanceof Fault || typeof answer.transactionLog === 'boolean';
      }),
    );
  });
});

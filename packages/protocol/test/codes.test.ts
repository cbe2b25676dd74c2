import { describe, expect, test } from 'vitest';
import { afterClose, closeCodes, type ErrorCode, errorCodes, Fault, mayRetry } from '../src/index.ts';

describe('error codes', () => {
  test.each(Object.entries(errorCodes))('%s has retry advice and a meaning [ERR-3]', (_code, { retry, meaning }) => {
    expect(typeof retry).toBe('boolean');
    expect(meaning.length).toBeGreaterThan(10);
  });

  test("a fault carries its code's advice unless it says otherwise", () => {
    for (const [code, { retry }] of Object.entries(errorCodes)) {
      expect(mayRetry(new Fault(code as ErrorCode))).toBe(retry);
      expect(mayRetry(new Fault(code as ErrorCode, { retry: !retry }))).toBe(!retry);
    }
  });

  test('the documented and the older codes are all there', () => {
    const names = [
      'PROTOCOL_VIOLATION',
      'SEQ_VIOLATION',
      'FLOW_CONTROL_VIOLATION',
      'VERSION_INCOMPATIBLE',
      'UNSUPPORTED_TYPE',
      'RUN_LIMIT_EXCEEDED',
      'REPLAY_TOO_OLD',
      'RESUME_FAILED',
      'AUTHENTICATION_FAILED',
      'TOOL_EXECUTION_ERROR',
      'TRANSACTION_NOT_FOUND',
      'TOOL_NOT_FOUND',
      'MISSING_TOOL_NAME',
      'INVALID_PAYLOAD',
      'UNAUTHORIZED',
      'INSUFFICIENT_CREDITS',
    ];
    expect(Object.keys(errorCodes)).toEqual(expect.arrayContaining(names));
  });
});

describe('close codes', () => {
  test.each(Object.entries(closeCodes))('%s has a name and says what comes next [CLOSE-1]', (code, { name, next }) => {
    expect(name.length).toBeGreaterThan(2);
    expect(['resume', 'anew', 'stop']).toContain(next);
    expect(afterClose(Number(code))).toBe(next);
  });

  test('a client stays away after normal, policy and superseded, and after nothing else', () => {
    const stop = Object.keys(closeCodes).filter((code) => afterClose(Number(code)) === 'stop');
    expect(stop).toEqual(['1000', '1008', '4409']);
  });

  test('an unknown code is read as a cut [CLOSE-1]', () => {
    for (const code of [0, 999, 1005, 1015, 3000, 4999, Number.NaN]) expect(afterClose(code)).toBe('resume');
  });
});

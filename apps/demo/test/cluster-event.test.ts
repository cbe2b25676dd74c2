import { describe, expect, test } from 'vitest';
import { wordsOfLog } from '../cluster/event.ts';

describe('a line of a server’s log', () => {
  test('is told in words, with what it is about', () => {
    expect(wordsOfLog('{"keeps":"nothing","level":"warn","event":"redis may lose"}')).toBe(
      "warn: redis may lose { keeps: 'nothing' }",
    );
    expect(wordsOfLog('{"level":"error","event":"agent stopped"}')).toBe('error: agent stopped');
  });

  test('has of an error its message, not its stack', () => {
    const error = { name: 'Error', message: 'Socket closed', stack: 'Error: Socket closed\n    at a.js:1:1' };
    expect(wordsOfLog(JSON.stringify({ level: 'warn', event: 'redis lost', error }))).toBe(
      "warn: redis lost { error: 'Socket closed' }",
    );
  });

  test('never commands the terminal', () => {
    const line = JSON.stringify({ level: 'error', event: 'e', id: '\u001b[2J' });
    expect(wordsOfLog(line)).toBe("error: e { id: '\\x1B[2J' }");
  });

  test.each(['HAIP demo: PORT 1 is taken.', '"text"', 'null', '{"level":1}'])('is left as it is: %s', (line) => {
    expect(wordsOfLog(line)).toBe(line);
  });
});

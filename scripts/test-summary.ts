// Prints the counts of the last test run under CI as one line. Fails when a test was skipped: there everything is to run. Says
// nothing when no test ran.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './sources.ts';

const file = join(root, 'node_modules/.cache/haip/vitest.json');

if (existsSync(file)) {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  const skipped = (report['numPendingTests'] ?? 0) + (report['numTodoTests'] ?? 0);
  const rest = skipped > 0 ? `, ${skipped} skipped` : '';
  if (skipped > 0) process.exitCode = 1;
  console.log(`tests: ${report['numPassedTests']} passed, ${report['numFailedTests']} failed${rest}`);
}

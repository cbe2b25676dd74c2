import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Gives paths in a folder that is gone when the file's tests are over. */
export function temporaryFiles(): () => string {
  const folder = mkdtempSync(join(tmpdir(), 'haip-sqlite-'));
  let count = 0;
  afterAll(() => rmSync(folder, { recursive: true }));
  return () => join(folder, `${++count}.db`);
}

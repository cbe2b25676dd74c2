// Runs the tools that the checks need.
import { execFileSync } from 'node:child_process';

/** The pnpm that runs this script, else the one on PATH. */
export const pnpm: string = process.env['npm_execpath'] ?? 'pnpm';

/** Nothing when the command succeeds; else one text with what it printed, by `keep` reduced to the lines that count. */
export function failureOf(
  what: string,
  command: string,
  args: string[],
  { cwd, keep = () => true }: { cwd?: string; keep?: (line: string) => boolean } = {},
): string[] {
  try {
    execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    return [];
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout?: Buffer; stderr?: Buffer };
    const printed = `${stdout ?? ''}${stderr ?? ''}` || message;
    const lines = printed.split('\n').filter((line) => line !== '' && keep(line));
    return lines.length > 0 ? [`${what} failed:\n${lines.join('\n')}`] : [];
  }
}

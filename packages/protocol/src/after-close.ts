// The one column of the close codes that a client needs: what to do next. A test holds it equal to the table. Spec: §6.

const stop: readonly number[] = [1000, 1008, 4409];
const anew: readonly number[] = [1002, 1003, 1007, 1009];

/** What a client does after a connection ended with `code`. An unknown code is read as a cut: resume. */
export function afterClose(code: number): 'resume' | 'anew' | 'stop' {
  if (stop.includes(code)) return 'stop';
  return anew.includes(code) ? 'anew' : 'resume';
}

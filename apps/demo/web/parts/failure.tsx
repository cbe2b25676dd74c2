// A conversation that could not be opened, and the way on.

const reasons = new Map([
  [
    'TRANSACTION_NOT_FOUND',
    'This conversation is not here any more. The demo keeps its history in memory, so restarting its server ends every conversation.',
  ],
  ['AUTHENTICATION_FAILED', 'The server did not accept this browser.'],
]);

export function Failure({ code }: { readonly code: string }) {
  return (
    <main id="main" className="failure" tabIndex={-1}>
      <h1>Nothing to join</h1>
      <p>{reasons.get(code) ?? `The conversation could not be opened (${code}).`}</p>
      <p>
        <a className="primary-button" href="/">
          Begin a new one
        </a>
      </p>
    </main>
  );
}

// A conversation that could not be opened, and the way on.

import { NewLink } from '../conversations/new-link.tsx';

const reasons = new Map([
  [
    'TRANSACTION_NOT_FOUND',
    'This conversation is not here, or not any more: the demo keeps each one for 30 days after its last word.',
  ],
  ['AUTHENTICATION_FAILED', 'The server did not accept this browser.'],
]);

export function Failure({ code }: { readonly code: string }) {
  return (
    <main id="main" className="failure" tabIndex={-1}>
      <h1>Nothing to join</h1>
      <p>{reasons.get(code) ?? `The conversation could not be opened (${code}).`}</p>
      <p>
        <NewLink className="primary-button">Begin a new one</NewLink>
      </p>
    </main>
  );
}

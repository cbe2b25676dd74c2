// Copies the link of the conversation; shows it where the clipboard is closed to the page.

import { useEffect, useRef, useState } from 'react';
import { CheckIcon, LinkIcon } from './icons.tsx';

const shownForMs = 2500;

export function ShareButton() {
  const [copied, setCopied] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), shownForMs);
    return () => clearTimeout(timer);
  }, [copied]);

  const share = () => {
    // Missing on pages that are served over plain http from another machine.
    const written = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
    written.then(
      () => setCopied(true),
      () => dialog.current?.showModal(),
    );
  };

  return (
    <>
      <button type="button" className="quiet-button" onClick={share} title="Who has the link can read and write here">
        {copied ? <CheckIcon /> : <LinkIcon />}
        <span className="wide-only">{copied ? 'Link copied' : 'Copy link'}</span>
        <span className="narrow-only">{copied ? 'Copied' : 'Share'}</span>
      </button>
      <span className="visually-hidden" role="status">
        {copied ? 'The link is copied. Open it in a second browser to join this conversation.' : ''}
      </span>
      <dialog ref={dialog} className="link-dialog" aria-labelledby="link-title">
        <h2 id="link-title">The link of this conversation</h2>
        <p>Who has it can read and write here.</p>
        <input readOnly value={location.href} aria-label="Link" onFocus={(event) => event.target.select()} />
        <form method="dialog">
          <button type="submit" className="quiet-button">
            Close
          </button>
        </form>
      </dialog>
    </>
  );
}

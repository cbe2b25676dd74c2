// Where the list of conversations stands: beside the conversation where there is room, else in a drawer over it.

import { type ReactNode, useEffect, useRef, useState } from 'react';
import { MenuIcon } from '../parts/icons.tsx';
import { ConversationNav } from './conversation-nav.tsx';

/** The same as in the style sheets. */
const roomBeside = '(min-width: 60rem)';

/** Whether there is room for the list beside the conversation. */
export function useHasRoom(): boolean {
  const [hasRoom, setHasRoom] = useState(() => matchMedia(roomBeside).matches);
  useEffect(() => {
    const query = matchMedia(roomBeside);
    const look = () => setHasRoom(query.matches);
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, []);
  return hasRoom;
}

function Drawer({ children }: { readonly children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();
  return (
    <>
      <button
        type="button"
        className="icon-button"
        aria-label="Conversations"
        aria-haspopup="dialog"
        onClick={() => dialog.current?.showModal()}
      >
        <MenuIcon />
      </button>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself */}
      <dialog
        ref={dialog}
        className="drawer"
        aria-label="Conversations"
        onClick={({ target, currentTarget }) => {
          // Beside the drawer, or on one of its links.
          if (target === currentTarget || (target instanceof Element && target.closest('a'))) close();
        }}
      >
        {children}
      </dialog>
    </>
  );
}

/** The drawer and the button that opens it. */
export const ConversationDrawer = () => (
  <Drawer>
    <ConversationNav />
  </Drawer>
);

// The way to a new conversation: a link, so that it opens in a new tab where somebody wants that.

import type { MouseEvent, ReactNode } from 'react';
import { useChatStore } from '../chat/use-chat.ts';

interface NewLinkProps {
  readonly children: ReactNode;
  readonly className?: string;
  readonly label?: string;
  readonly isCurrent?: boolean;
}

export function NewLink({ children, className, label, isCurrent = false }: NewLinkProps) {
  const store = useChatStore();
  const choose = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (location.hash !== '') history.pushState(null, '', location.pathname);
    store.choose();
  };
  return (
    <a className={className} href="/" onClick={choose} aria-label={label} aria-current={isCurrent ? 'page' : undefined}>
      {children}
    </a>
  );
}

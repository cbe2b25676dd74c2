import { createContext, use, useSyncExternalStore } from 'react';
import type { ListState } from '../conversations/conversation-list.ts';
import type { ChatState } from './chat-state.ts';
import type { ChatStore } from './chat-store.ts';

/** The store of this page. */
export const ChatContext = createContext<ChatStore | undefined>(undefined);

/** The store given by the nearest ChatContext. */
export function useChatStore(): ChatStore {
  const store = use(ChatContext);
  if (!store) throw new Error('useChatStore: expected a ChatContext around this component');
  return store;
}

/** The present state; renders again at each change. */
export function useChat(): ChatState {
  const store = useChatStore();
  return useSyncExternalStore(store.subscribe, store.getState);
}

/** One value of the present state; renders again only when that is another one. */
export function useChatValue<Value>(read: (state: ChatState) => Value): Value {
  const store = useChatStore();
  return useSyncExternalStore(store.subscribe, () => read(store.getState()));
}

/** The list of conversations; renders again when that changes, and not at each word of an answer. */
export function useConversations(): ListState {
  const { list } = useChatStore();
  return useSyncExternalStore(list.subscribe, list.getState);
}

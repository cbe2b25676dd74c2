import type { TextStore } from '@haip/protocol';

/** One key of the tab's sessionStorage. Throws where a page has none, or may not use it. */
export function sessionText(key: string): TextStore {
  return {
    load: () => sessionStorage.getItem(key),
    save: (text) => sessionStorage.setItem(key, text),
  };
}

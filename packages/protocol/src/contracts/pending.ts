/** Done at once, or later. `const pending = store.append(…); if (pending) await pending;` is the one path for both. */
export type Pending = void | Promise<void>;

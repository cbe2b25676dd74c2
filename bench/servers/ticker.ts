// Where both servers have their tokens from, and when: one promise for each turn of the event loop, shared by all streams.

let turn: Promise<void> | undefined;

export function nextTurn(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  });
  return turn;
}

/** How many tokens of an answer a model has ready in a turn. */
type Source = () => number;

/** The models that streams are answered from, by the name of their tool. */
export const models: Readonly<Record<string, () => Source>> = {
  tokens: () => () => 1,
  bursts: () => () => 20,
  /** A thousand a second, whether or not the server keeps up. */
  clocked() {
    const began = performance.now();
    let given = 0;
    return () => {
      const ready = Math.floor(performance.now() - began) - given;
      given += ready;
      return ready;
    };
  },
};

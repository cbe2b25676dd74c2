// One promise for each turn of the event loop, shared by all streams, so that both servers write one token per stream
// and turn.

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

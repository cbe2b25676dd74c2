// One connection of the load, whatever it travels over: costs next to nothing, so that one core of load fills one core
// of server. Arriving frames are told by where they lie in what was read, and are not parsed.

export interface Link {
  /** Called for each arriving envelope's text: `from` to `to` of `chunk`. */
  onFrame: (chunk: Buffer, from: number, to: number) => void;
  /** Called after all frames of one read. */
  onRead: () => void;
  /** Opens the connection and says HAI the way the transport has it. */
  open(hai: string): void;
  /** Sends envelopes. */
  write(texts: readonly string[]): void;
  destroy(): void;
  /** Bytes of all its sockets, HTTP's own included. */
  readonly received: number;
  readonly sent: number;
}

/** How the load reaches a server. */
export interface Route {
  readonly transport: 'websocket' | 'sse' | 'http';
  readonly port: number;
  /** HTTP: a POST for each message, without waiting for answers; else one POST at a time, with all that gathered meanwhile. */
  readonly pipelined: boolean;
}

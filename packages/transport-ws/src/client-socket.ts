// What the client needs of a WebSocket: the standard's own, and in Node what ws has beyond it. Types only.

export interface ClientSocket {
  binaryType: string;
  readonly readyState: number;
  /** Bytes not yet given to the network. */
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(message: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export interface NodeSocket extends ClientSocket {
  onerror: ((event: { readonly error: Error }) => void) | null;
  pause(): void;
  resume(): void;
  ping(): void;
  terminate(): void;
  on(event: 'ping' | 'pong', heard: () => void): unknown;
}

export interface SocketOptions {
  readonly url: string | URL;
  readonly protocols?: string | string[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

// The Web globals that the cores may use, in every runtime the same. For the compiler only: no package ships this file.

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean; signal?: AbortSignal }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

declare var AbortSignal: {
  prototype: AbortSignal;
  abort(reason?: unknown): AbortSignal;
  any(signals: Iterable<AbortSignal>): AbortSignal;
};

interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare var AbortController: { prototype: AbortController; new (): AbortController };

declare function queueMicrotask(callback: () => void): void;

declare function atob(base64: string): string;
declare function btoa(binary: string): string;

declare var TextEncoder: { new (): { encode(text: string): Uint8Array } };
declare var TextDecoder: { new (): { decode(bytes: Uint8Array): string } };

// The contract of a transport as a test suite that any implementation can run. The laws are plain functions, so that a
// transport broken on purpose shows that they catch it.

import { describe, test } from 'vitest';
import { base64Laws } from './transport-laws/base64.ts';
import type { OpenTransport, TransportLaw, TransportSupports } from './transport-laws/context.ts';
import { deliveryLaws } from './transport-laws/delivery.ts';
import { lifecycleLaws } from './transport-laws/lifecycle.ts';

export interface TransportSuiteOptions {
  readonly name: string;
  /** Starts a server and gives a transport that reaches it, with the codec's default limits on both sides. */
  open(): OpenTransport | Promise<OpenTransport>;
  /** What it can do. Laws on what it can not do are left out. Default: all of it. */
  readonly supports?: Partial<TransportSupports> | undefined;
}

/** Every law a transport keeps. */
export const transportLaws: readonly TransportLaw[] = [...deliveryLaws, ...base64Laws, ...lifecycleLaws];

/** Declares one test for each law, inside a `describe` of its own. Call it at the top of a test file. */
export function transportSuite({ name, open, supports = {} }: TransportSuiteOptions): void {
  const can: TransportSupports = { binary: true, pause: true, clientProbe: true, progress: true, ...supports };
  describe(`${name} keeps the contract of a transport`, () => {
    for (const law of transportLaws.filter(({ needs }) => needs?.(can) ?? true)) {
      test(law.name, async () => {
        const opened = await open();
        try {
          await law.run(opened);
        } finally {
          await opened.close();
        }
      });
    }
  });
}

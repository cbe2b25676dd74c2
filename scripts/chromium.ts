// Where Chromium is: CHROMIUM_PATH, a usual place, or PATH.
import { findProgram } from './programs.ts';

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The path of a Chromium that exists, or undefined. */
export function findChromium(): string | undefined {
  return findProgram({
    variable: 'CHROMIUM_PATH',
    usualPlaces,
    names: ['chromium', 'chromium-browser', 'google-chrome'],
  });
}

/** Arguments under which Chromium is quiet and runs in a container, as root, without a network. */
export const chromiumArgs: string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

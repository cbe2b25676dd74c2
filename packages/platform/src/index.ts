export { systemClock } from './clock.ts';
export { consoleWarnings } from './console-warnings.ts';
export { endOfTurn } from './end-of-turn.ts';
export { systemRandom, uuidIds } from './ids.ts';
export { consoleLogger } from './logger.ts';
export { isSameSecret } from './same-secret.ts';
export { sessionText } from './session-text.ts';
export { hmacSigner } from './signer.ts';
export { wakeSignals } from './wake-signals.ts';

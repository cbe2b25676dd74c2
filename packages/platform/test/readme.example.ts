import { consoleLogger, hmacSigner, systemClock, uuidIds } from '@haip/platform';

const signer = hmacSigner('a secret that all your servers share');
const token = await signer.sign('session-1 user-1');

console.log(await signer.verify('session-1 user-1', token)); // true
console.log(uuidIds().length); // 36

const timer = systemClock.timer(1_000, () => consoleLogger('info')('info', 'tick'));
timer.cancel();

import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'logs what is endless to look at',
  code: jobIn(`
    const endless = new Proxy({}, { ownKeys: () => Array.from({ length: 1e5 }, (_, n) => 'k' + n), getOwnPropertyDescriptor: () => ({ value: endless, enumerable: true, configurable: true }) });
    for (;;) console.log(endless);`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;

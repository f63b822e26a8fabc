import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'logs with templates whose arguments act when they are converted',
  code: jobIn(`
    console.log('%d %i %f %s %j %o', { valueOf() { throw 1; } }, { valueOf() { throw 1; } }, { valueOf() { throw 1; } }, { toString() { throw 1; } }, { toJSON() { throw 1; } }, new Proxy({}, { ownKeys() { throw 1; } }));
    return 'quiet';`),
  ends: { answers: 'quiet' },
  logs: [/^NaN/],
} satisfies Attack;

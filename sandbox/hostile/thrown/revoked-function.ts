import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws a function that was revoked',
  code: jobIn(`
    const { proxy, revoke } = Proxy.revocable(function () {}, {});
    revoke();
    throw proxy;`),
  ends: ['plugin-threw'],
} satisfies Attack;

import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws an error whose list of errors was revoked',
  code: jobIn(`
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    throw Object.assign(new Error('one of many'), { errors: proxy });`),
  ends: ['plugin-threw'],
  says: /^one of many$/,
} satisfies Attack;

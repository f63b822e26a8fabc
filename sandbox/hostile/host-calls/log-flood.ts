import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'logs without end',
  code: jobIn(`for (let n = 0; ; n += 1) { console.log('flood', n); ctx.log.info('flood', { n }); }`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;

import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes host calls without end and waits for none',
  code: jobIn(`for (;;) ctx.kv.get('a').catch(() => {});`),
  ends: ['host-call-limit', 'cpu-limit', 'heap-limit'],
} satisfies Attack;

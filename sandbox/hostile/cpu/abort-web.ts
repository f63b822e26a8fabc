import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes every abort wake the next thousand signals',
  code: jobIn(`
    for (;;) {
      const root = new AbortController();
      let all = [root.signal];
      for (let level = 0; level < 1000; level += 1) all.push(AbortSignal.any([all[level], root.signal]));
      for (const signal of all) for (let at = 0; at < 50; at += 1) signal.addEventListener('abort', () => all.push(at));
      root.abort();
    }`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;

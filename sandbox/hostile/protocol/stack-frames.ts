import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'looks for host paths in stacks of every origin',
  code: jobIn(String.raw`
    const stacks = [new Error('x').stack];
    for (const attempt of [() => JSON.parse('{'), () => null.x, () => new Intl.NumberFormat('xx-invalid-locale-xx'), () => structuredClone(() => {}), () => new URL('::'), () => atob('*'), () => ctx.kv.get(0), () => decodeURIComponent('%')]) {
      try { await attempt(); } catch (error) { stacks.push(String(error.stack)); }
    }
    return stacks.flatMap((stack) => stack.split('\n').filter((line) => /^\s+at /.test(line) && !/bundle\.js:\d+:\d+|gatehouse:guest:\d+:\d+|<anonymous>/.test(line)));`),
  ends: { answers: [] },
} satisfies Attack;

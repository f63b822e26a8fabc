import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'changes the context that later invocations get',
  code: jobIn(`
    const before = ctx.config.greeting;
    ctx.installation.slug = ctx.operator.slug = 'other'; ctx.config.greeting = 'changed'; ctx.invocationId = 'other';
    return [ctx.config.greeting, before];`),
  ends: { answers: ['changed', 'hello'] },
  later: [{ by: 'attacker', ends: { answers: ['changed', 'hello'] } }],
} satisfies Attack;

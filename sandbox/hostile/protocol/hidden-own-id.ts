import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'changes its own id and ends others',
  code: jobIn(`
    ctx.invocationId = 'somebody-else';
    Object.defineProperty(ctx, 'kv', { value: null });
    return 'mine';`),
  ends: { answers: 'mine' },
} satisfies Attack;

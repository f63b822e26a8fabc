import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'replaces the methods of its capabilities, for whoever comes next',
  code: jobIn(`
    'use strict';
    const proto = Object.getPrototypeOf(ctx.kv);
    const tries = [
      () => { proto.get = () => 'mine'; },
      () => { Object.defineProperty(proto, 'get', { get: () => 'mine' }); },
      () => { proto.__defineGetter__('get', () => 'mine'); },
      () => { Object.setPrototypeOf(proto, { get: 'mine' }); },
    ];
    const names = tries.map((attempt) => { try { attempt(); return 'bent'; } catch (error) { return error.name; } });
    return [...names, await ctx.kv.get('absent')];`),
  ends: { answers: ['TypeError', 'TypeError', 'TypeError', 'TypeError', null] },
} satisfies Attack;

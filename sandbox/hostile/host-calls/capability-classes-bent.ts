import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes capabilities and contexts of its own, and bends those that it has',
  code: jobIn(`'use strict';
    const found = [];
    const attempt = (work) => { try { found.push(String(work())); } catch (error) { found.push(error.name); } };
    for (const name of ['kv', 'events', 'plugins', 'notify', 'log']) {
      attempt(() => new ctx[name].constructor({}, {}, true));
      attempt(() => { Object.getPrototypeOf(ctx[name]).call = () => 'bent'; return 'changed'; });
    }
    attempt(() => new ctx.constructor({}, {}, ctx));
    attempt(() => { Object.getPrototypeOf(ctx).kv = 'bent'; return 'changed'; });
    attempt(() => Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Object.getPrototypeOf(ctx)) ?? {}, 'kv')?.get?.call({}) ?? 'none');
    attempt(() => ctx.kv === ctx.kv);
    return found;`),
  ends: { answers: [...Array(12).fill('TypeError'), 'none', 'true'] },
} satisfies Attack;

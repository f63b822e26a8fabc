import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'calls the methods of capabilities on receivers of its own',
  code: jobIn(`
    const { get } = Object.getPrototypeOf(ctx.kv);
    const tries = [() => get.call({}, 'a'), () => get.call(Object.create(ctx.kv), 'a'), () => get.call(new Proxy(ctx.kv, {}), 'a'), () => get.call(null, 'a')];
    const names = [];
    for (const attempt of tries) { try { await attempt(); names.push('called'); } catch (error) { names.push(error.name); } }
    return names;`),
  ends: { answers: ['TypeError', 'TypeError', 'TypeError', 'TypeError'] },
} satisfies Attack;

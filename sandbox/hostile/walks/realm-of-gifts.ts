import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'looks for an object of another realm among what it is given',
  code: jobIn(`
    const foreign = [];
    const seen = new Set();
    const look = (value, path) => {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || path.length > 100) return;
      seen.add(value);
      const base = typeof value === 'function' ? Function.prototype : Object.prototype;
      let top = value;
      while (Object.getPrototypeOf(top) !== null) top = Object.getPrototypeOf(top);
      if (top !== Object.prototype && top !== value) foreign.push(path);
      for (const key of Reflect.ownKeys(value)) { let next; try { next = value[key]; } catch {} look(next, path + '.' + String(key)); }
      look(Object.getPrototypeOf(value), path + '.__proto__');
    };
    look(job, 'job'); look(ctx, 'ctx'); look(await ctx.kv.list(), 'list');
    try { await ctx.kv.get(0); } catch (error) { look(error, 'error'); }
    try { await ctx.kv.increment('n', 2 ** 60); } catch (error) { look(error, 'refusal'); }
    return foreign;`),
  ends: { answers: [] },
} satisfies Attack;

import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'looks for the real Function behind the one that refuses',
  code: jobIn(`
    const seen = new Set();
    const todo = [globalThis, ctx, ctx.kv, ctx.log, request => request, async () => {}, function* () {}, async function* () {}];
    const made = [];
    while (todo.length > 0 && seen.size < 3_000) {
      const one = todo.pop();
      if ((typeof one !== 'object' && typeof one !== 'function') || one === null || seen.has(one)) continue;
      seen.add(one);
      if (typeof one === 'function' && /function/i.test(one.name)) {
        try { if (one('return 7')() === 7) made.push(one.name); } catch {}
      }
      todo.push(Object.getPrototypeOf(one));
      for (const key of Reflect.ownKeys(one)) {
        const slot = Object.getOwnPropertyDescriptor(one, key);
        todo.push(slot.value, slot.get, slot.set);
      }
    }
    return made;`),
  ends: { answers: [] },
} satisfies Attack;

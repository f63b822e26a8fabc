import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'climbs from a constructor to a process, a require or the functions of the lane',
  code: jobIn(`
    const roots = [globalThis, ctx, ctx.kv, ctx.kv.get, Promise, new Error('x').stack, Reflect.construct, console.log];
    const worlds = roots.map((root) => { try { return root.constructor.constructor('return this')(); } catch { return globalThis; } });
    return worlds.flatMap((one) => ['process', 'require', 'turn', 'drain', '__gatehouse_define', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'eval'].filter((name) => name in one));`),
  ends: { answers: [] },
} satisfies Attack;

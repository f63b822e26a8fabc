import { type Attack, attackIn } from './attack.ts';

export default {
  that: 'climbs from a constructor to a process, a require or the lane’s functions',
  code: attackIn(`
    const roots = [globalThis, ctx, ctx.kv, ctx.kv.get, Promise, Error.prepareStackTrace, new Error().stack];
    const global = roots.map((root) => { try { return root.constructor.constructor('return this')(); } catch { return globalThis; } });
    const found = global.flatMap((one) => ['process', 'require', 'turn', 'drain', '__gatehouse_define', 'WebAssembly', 'SharedArrayBuffer', 'Atomics'].filter((name) => name in one));
    if (found.length > 0) for (;;);
    return 'nothing';`),
  ends: 'answers',
} satisfies Attack;

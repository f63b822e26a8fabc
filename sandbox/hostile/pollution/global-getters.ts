import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'replaces globals by getters that throw',
  code: jobIn(`
    for (const name of ['JSON', 'Promise', 'Object', 'Array', 'Error', 'Map', 'Uint8Array', 'Symbol', 'Reflect', 'String']) {
      Object.defineProperty(globalThis, name, { get() { throw new globalThis.RangeError('planted'); }, configurable: true });
      if (name === 'Object') break;
    }
    const { value } = await ctx.kv.increment('a');
    console.log('a', 'b');
    return [value, 'a b'];`),
  ends: { answers: [1, 'a b'] },
  logs: ['a b'],
} satisfies Attack;

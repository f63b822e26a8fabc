import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'replaces every method of every built-in it can reach',
  code: jobIn(`
    const { getOwnPropertyNames, getPrototypeOf } = Object;
    const bomb = () => { throw new Error('sabotage'); };
    const owners = [Array, Array.prototype, Promise, Map.prototype, Set.prototype, String, String.prototype, RegExp.prototype, Function.prototype, Uint8Array,
      getPrototypeOf(Uint8Array), getPrototypeOf(Uint8Array.prototype), Date.prototype, Error, Error.prototype, JSON, Reflect, Math, Number, Object, Symbol,
      ArrayBuffer, ArrayBuffer.prototype, DataView.prototype, BigInt, WeakMap.prototype, Intl];
    for (let i = 0; i < owners.length; i += 1) {
      const names = getOwnPropertyNames(owners[i]);
      for (let n = 0; n < names.length; n += 1) if (names[n] !== 'constructor' && names[n] !== 'prototype') try { owners[i][names[n]] = bomb; } catch {}
    }
    return (await ctx.kv.increment('a')).value;`),
  ends: { answers: 1 },
} satisfies Attack;

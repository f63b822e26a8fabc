import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'removes the arrays that its random numbers are made of',
  code: jobIn(
    `return Math.random() < 1 && crypto.randomUUID().length === 36;`,
    `for (const name of ['Uint32Array', 'Uint16Array', 'Uint8Array', 'Int8Array', 'Proxy', 'Promise', 'Map', 'Set', 'Symbol', 'RegExp', 'Array', 'Object', 'String']) delete globalThis[name];`,
  ),
  ends: { answers: true },
} satisfies Attack;

import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'replaces typed arrays to catch the seed of its random numbers',
  code: jobIn(
    `
    Math.random();
    crypto.randomUUID();
    crypto.getRandomValues(new Real(4));
    return caught.map((one) => [...one].map((word) => word.toString(16)).join());`,
    `
    const caught = [];
    const Real = globalThis.Uint32Array;
    for (const name of ['Uint32Array', 'Uint16Array', 'Uint8Array', 'Int8Array', 'Array', 'Map', 'Set']) globalThis[name] = function (...args) { const made = new Real(...args); caught.push(made); return made; };`,
  ),
  ends: { answers: [] },
  later: [{ by: 'attacker', ends: { answers: [] } }],
} satisfies Attack;

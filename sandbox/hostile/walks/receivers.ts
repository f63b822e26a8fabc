import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'waits for a receiver or an argument that it should not have',
  code: jobIn(`
    const seen = [];
    await new Promise((done) => setTimeout(function (...args) { seen.push(this === globalThis, args.length === 0); done(); }, 0));
    await new Promise((done) => queueMicrotask(function () { seen.push(this === globalThis, arguments.length); done(); }));
    return seen;`),
  ends: { answers: [true, true, true, 0] },
} satisfies Attack;

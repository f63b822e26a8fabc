import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'asks for secrets by every name but a declared one',
  code: jobIn(`
    const codes = [];
    for (const name of ['API_KEY', '__proto__', 'constructor', '', 'A'.repeat(1e6), { toString: () => 'API_KEY' }, null]) {
      codes.push(await ctx.secrets.get(name).then(() => 'told', (error) => error.code));
    }
    try { new ctx.secrets.constructor({}, null, true, true); codes.push('made'); } catch (error) { codes.push(error.name); }
    return [...codes, (await ctx.secrets.names()).length];`),
  ends: {
    answers: ['secret-undeclared', ...Array(6).fill('capability-arguments-invalid'), 'TypeError', 0],
  },
} satisfies Attack;

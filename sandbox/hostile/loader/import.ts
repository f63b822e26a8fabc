import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'imports files, packages and data',
  code: jobIn(`
    const names = ['node:fs', './cordon.ts', 'data:text/javascript,export default 1', 'isolated-vm'];
    const results = [];
    for (const name of names) results.push(await import(name).then(() => 'imported', () => 'refused'));
    return results;`),
  ends: { answers: ['refused', 'refused', 'refused', 'refused'] },
} satisfies Attack;
